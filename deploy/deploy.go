// Package deploy holds what ships with the binary: the built-in jobs, their
// subscriptions, and the Python SDK. Folders are laid out as in a git source, so
// that what works here works there.
package deploy

import (
	"embed"
	"io/fs"
)

//go:embed jobs subscriptions sdk
var files embed.FS

// Catalogue holds jobs/<name>/ and subscriptions/*.yaml.
func Catalogue() fs.FS { return files }

// SDK holds the Python package stalker_sdk at its root.
func SDK() fs.FS {
	sub, err := fs.Sub(files, "sdk")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
