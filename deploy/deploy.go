// Package deploy holds what is shipped inside the binary for jobs to run: the
// catalogue of built-in jobs and subscriptions, and the Python SDK they use.
package deploy

import (
	"embed"
	"io/fs"
)

//go:embed jobs/*/template.yaml jobs/*/main.py subscriptions/*.yaml
var catalogue embed.FS

//go:embed templates
var templates embed.FS

// Patterns, not the folder: embedding a folder leaves out __init__.py and takes
// in caches.
//
//go:embed sdk/stalker_sdk/*.py sdk/stalker_sdk/*.json sdk/stalker_sdk/py.typed sdk/stalker_job_sdk/*.py sdk/red_kite_job_sdk/*.py
var sdk embed.FS

// Catalogue returns the built-in jobs, as jobs/<name>/{template.yaml,main.py}, and
// subscriptions, as subscriptions/<name>.yaml, without their tests.
func Catalogue() fs.FS { return catalogue }

// Templates returns what jobs of one's own begin with, a folder each, in the form of
// the catalogue's jobs.
func Templates() fs.FS {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the name is a constant that the embedding above checks
	}
	return sub
}

// SDK returns a tree with the Python package stalker_sdk at its root, and beside it
// the names of the reference's: extract it
// and name the folder in PYTHONPATH.
func SDK() fs.FS {
	sub, err := fs.Sub(sdk, "sdk")
	if err != nil {
		panic(err) // the name is a constant that the embedding above checks
	}
	return sub
}
