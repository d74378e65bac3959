package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// object is as much of a Kubernetes object as these tests read.
type object struct {
	Kind     string                `json:"kind"`
	Metadata struct{ Name string } `json:"metadata"`
	Data     map[string]string     `json:"data"`
	Spec     struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Args []string
					Env  []struct{ Name, Value string }
				}
				Volumes []struct {
					Name      string
					ConfigMap struct{ Name string }
				}
			}
		}
	}
}

// rendered is what the chart makes of a file of values. make test-chart names helm.
func rendered(t *testing.T, values string) []object {
	t.Helper()
	helm := os.Getenv("STALKER_TEST_HELM")
	if helm == "" {
		t.Skip("needs the helm of make test-chart")
	}
	cmd := exec.CommandContext(t.Context(), helm, "template", "stalker", "../../charts/stalker", "-n", "stalker", "--kube-version", "1.35.0", "-f", values)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, stderr.String())
	}
	var list []object
	for d := yaml.NewDecoder(bytes.NewReader(out)); ; {
		var document map[string]any
		if err := d.Decode(&document); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		var o object
		text, err := json.Marshal(document)
		if err == nil {
			err = json.Unmarshal(text, &o)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
}

// sample is a value that a Secret would hold.
func sample(name string) string {
	switch {
	case strings.HasSuffix(name, "__DSN"):
		return "postgres://stalker:x@postgres:5432/stalker"
	case name == "STALKER_CFG_JOBTOKENKEY", name == "STALKER_CFG_SECRETS__KEY":
		return "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	default:
		return "x"
	}
}

// TestTheChartConfiguresThisBinary checks what every container of the chart would be
// configured with: its file, its environment and its arguments.
func TestTheChartConfiguresThisBinary(t *testing.T) {
	files, err := filepath.Glob("../../charts/stalker/tests/values/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, values := range files {
		list := rendered(t, values)
		checked := 0
		for _, o := range list {
			for _, c := range o.Spec.Template.Spec.Containers {
				if len(c.Args) == 0 || c.Args[0] != "serve" && c.Args[0] != "migrate" {
					continue // one of the trial's
				}
				checked++
				t.Run(filepath.Base(values)+"/"+o.Metadata.Name, func(t *testing.T) {
					file := ""
					for _, v := range o.Spec.Template.Spec.Volumes {
						if v.Name == "config" {
							file = configMap(t, list, v.ConfigMap.Name)
						}
					}
					for _, e := range c.Env {
						if strings.HasPrefix(e.Name, "STALKER_") {
							t.Setenv(e.Name, sample(e.Name))
						}
					}
					args := []string{"config", "check", "--config", file}
					if i := len(c.Args) - 2; c.Args[i] == "--roles" {
						args = append(args, c.Args[i:]...)
					}
					r := root()
					r.SetArgs(args)
					r.SetOut(io.Discard)
					if err := r.Execute(); err != nil {
						t.Error(err)
					}
				})
			}
		}
		if checked < 6 && filepath.Base(values) != "single.yaml" || checked == 0 {
			t.Errorf("%s: only %d containers", values, checked)
		}
	}
}

// configMap writes a ConfigMap's stalker.yaml to a file.
func configMap(t *testing.T, list []object, name string) string {
	t.Helper()
	for _, o := range list {
		if o.Kind == "ConfigMap" && o.Metadata.Name == name {
			file := filepath.Join(t.TempDir(), "stalker.yaml")
			if err := os.WriteFile(file, []byte(o.Data["stalker.yaml"]), 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}
	}
	t.Fatalf("no ConfigMap %s", name)
	return ""
}
