package kube_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/config"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

func TestConfigReportsEveryProblem(t *testing.T) {
	for want, change := range map[string]func(*kube.Config){
		"namespace":          func(c *kube.Config) { c.Namespace = "Stalker Jobs" },
		"qps":                func(c *kube.Config) { c.QPS = 0 },
		"burst":              func(c *kube.Config) { c.Burst = -1 },
		"image must be set":  func(c *kube.Config) { c.Image = "" },
		"pullPolicy":         func(c *kube.Config) { c.PullPolicy = "Sometimes" },
		"allowedImages":      func(c *kube.Config) { c.AllowedImages = []string{"[a"} },
		"defaultSize":        func(c *kube.Config) { c.DefaultSize = "XXXL" },
		"sizes.S.cpu":        func(c *kube.Config) { c.Sizes["S"] = kube.Size{CPU: "lots", Memory: "1Gi"} },
		"sizes.S.memory":     func(c *kube.Config) { c.Sizes["S"] = kube.Size{CPU: "1", Memory: "-1Gi"} },
		"scratch":            func(c *kube.Config) { c.Scratch = "" },
		"imageTimeout":       func(c *kube.Config) { c.ImageTimeout = 0 },
		"keepFinished at le": func(c *kube.Config) { c.KeepFinished = 1 },
	} {
		cfg := kube.DefaultConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	cfg := kube.DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}

func TestOneSizeMayBeChangedAndTheOthersStay(t *testing.T) {
	var all struct {
		Kubernetes kube.Config `yaml:"kubernetes"`
	}
	all.Kubernetes = kube.DefaultConfig()
	err := config.Load(&all, "", []string{"STALKER_CFG_KUBERNETES__SIZES={M: {cpu: 1, memory: 1Gi}, HUGE: {cpu: 8, memory: 16Gi}}"})
	got := all.Kubernetes.Sizes
	if err != nil || got["M"] != (kube.Size{CPU: "1", Memory: "1Gi"}) || got["HUGE"].CPU != "8" || got["XS"].CPU != "50m" {
		t.Errorf("%v, %v", got, err)
	}
	if kube.DefaultConfig().Sizes["M"].CPU != "150m" {
		t.Error("the defaults have changed")
	}
	if err := config.Load(&all, "", []string{"STALKER_CFG_KUBERNETES__SIZES={M: {cpus: 1}}"}); err == nil || !strings.Contains(err.Error(), "sizes.M.cpu") {
		t.Errorf("a size without its parts: %v", err)
	}
}

// TestTheDefaultSizesAreTheSameEverywhere: what the API offers is what pods get.
func TestTheDefaultSizesAreTheSameEverywhere(t *testing.T) {
	cfg := kube.DefaultConfig()
	byName := func(a, b pipeline.PodSize) int { return strings.Compare(a.Name, b.Name) }
	if got, want := slices.SortedFunc(slices.Values(cfg.PodSizes()), byName), slices.SortedFunc(slices.Values(pipeline.DefaultPodSizes()), byName); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := cfg.LargestPodSize(); got != pipeline.LargestPodSize() {
		t.Errorf("at most %+v", got)
	}
}
