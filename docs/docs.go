// Package docs holds the manual, so that the server can show it offline.
package docs

import "embed"

//go:embed *.md images/*.png
var files embed.FS

// FS returns the pages (*.md) and their images (images/*.png).
func FS() embed.FS { return files }
