// Package ui holds the web interface as npm built it. Without a build it holds
// nothing, and everything else works.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS returns the built web interface, or nil when this binary was made without.
func FS() fs.FS {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(root, "index.html"); err != nil {
		return nil
	}
	return root
}
