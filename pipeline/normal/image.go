package normal

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// What a picture may measure: a small file can unfold into one that fills a
// browser's memory.
const (
	maxSide   = 16_384
	maxPixels = 64 << 20
)

// Image reads a data URL (RFC 2397) of a bitmap, checks that it holds what it says,
// and returns its content type and its bytes. SVG is refused: it is a program.
func Image(s string) (kind string, body []byte, err error) {
	head, text, ok := strings.Cut(s, ";base64,")
	kind, isData := strings.CutPrefix(head, "data:")
	if !ok || !isData {
		return "", nil, pipeline.Errorf(pipeline.CodeInvalid, "an image is a data URL such as data:image/png;base64,…")
	}
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
	default:
		return "", nil, pipeline.Errorf(pipeline.CodeInvalid, "image type %q is none of image/png, image/jpeg, image/gif, image/webp", clip(kind))
	}
	if body, err = base64.StdEncoding.DecodeString(text); err != nil {
		return "", nil, pipeline.Errorf(pipeline.CodeInvalid, "image is no valid base64: %w", err)
	}
	if got := http.DetectContentType(body); got != kind {
		return "", nil, pipeline.Errorf(pipeline.CodeInvalid, "image says it is %s and is %s", kind, got)
	}
	width, height, err := measure(kind, body)
	if err != nil {
		return "", nil, pipeline.Errorf(pipeline.CodeInvalid, "image is no whole %s: %w", kind, err)
	}
	if width < 1 || height < 1 || width > maxSide || height > maxSide || width*height > maxPixels {
		return "", nil, pipeline.Errorf(pipeline.CodeTooLarge, "image measures %d × %d, at most %d a side and %d together are allowed", width, height, maxSide, maxPixels)
	}
	return kind, body, nil
}

// measure reads the size of a picture from its header.
func measure(kind string, b []byte) (width, height int, err error) {
	switch r := bytes.NewReader(b); kind {
	case "image/png":
		c, err := png.DecodeConfig(r)
		return c.Width, c.Height, err
	case "image/jpeg":
		c, err := jpeg.DecodeConfig(r)
		return c.Width, c.Height, err
	case "image/gif":
		c, err := gif.DecodeConfig(r)
		return c.Width, c.Height, err
	default:
		return measureWebP(b)
	}
}

// measureWebP reads the first chunk of a WebP file (RFC 9649).
func measureWebP(b []byte) (width, height int, err error) {
	if len(b) < 30 {
		return 0, 0, pipeline.Errorf(pipeline.CodeInvalid, "it has %d bytes", len(b))
	}
	le := binary.LittleEndian
	switch chunk := b[20:]; string(b[12:16]) {
	case "VP8 ": // lossy: frame tag, start code, 14 bits each
		return int(le.Uint16(chunk[6:]) & 0x3fff), int(le.Uint16(chunk[8:]) & 0x3fff), nil
	case "VP8L": // lossless: a signature, then 14 bits each, less one
		bits := le.Uint32(chunk[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, nil
	case "VP8X": // extended: 24 bits each, less one
		return int(le.Uint32(chunk[4:])&0xffffff) + 1, int(le.Uint32(chunk[6:])>>8) + 1, nil
	default:
		return 0, 0, pipeline.Errorf(pipeline.CodeInvalid, "it begins with %q", b[12:16])
	}
}
