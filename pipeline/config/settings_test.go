package config_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline/config"
)

func TestSettingsSayWhatDiffersAndHideSecrets(t *testing.T) {
	type part struct {
		Every  time.Duration `yaml:"every"`
		Hosts  []string      `yaml:"hosts"`
		Secret config.Secret `yaml:"secret"`
	}
	type whole struct {
		Name  string         `yaml:"name"`
		Limit int            `yaml:"limit"`
		Part  part           `yaml:"part"`
		Sizes map[string]int `yaml:"sizes"`
	}
	usual := whole{Name: "a", Limit: 3, Part: part{Every: time.Second, Hosts: []string{"x"}}}
	cfg := whole{Name: "a", Limit: 4, Part: part{Every: time.Second, Hosts: []string{"x", "z"}, Secret: "hunter2"}, Sizes: map[string]int{"big": 2}}
	got, err := config.Settings(&cfg, &usual)
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Setting{
		{Key: "name", Value: "a"},
		{Key: "limit", Value: "4", Changed: true},
		{Key: "part.every", Value: "1s"},
		{Key: "part.hosts", Value: "[x, z]", Changed: true},
		{Key: "part.secret", Value: "(hidden)", Changed: true},
		{Key: "sizes.big", Value: "2", Changed: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
