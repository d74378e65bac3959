package normal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

func dataURL(kind string, b []byte) string {
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(b)
}

// pngOf is a PNG of one colour.
func pngOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sized returns a PNG whose header says that it measures so much.
func sized(b []byte, width, height uint32) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[16:], width)
	binary.BigEndian.PutUint32(b[20:], height)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func webp(chunk string, body ...byte) []byte {
	b := append([]byte("RIFF\x30\x00\x00\x00WEBP"+chunk+"\x20\x00\x00\x00"), body...)
	return append(b, make([]byte, 40)...)
}

func TestImages(t *testing.T) {
	small := image.NewGray(image.Rect(0, 0, 3, 2))
	var j, g bytes.Buffer
	if err := jpeg.Encode(&j, small, nil); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&g, small, nil); err != nil {
		t.Fatal(err)
	}
	p := pngOf(t, 3, 2)
	for name, tc := range map[string]struct{ in, err string }{
		"PNG":               {dataURL("image/png", p), ""},
		"JPEG":              {dataURL("image/jpeg", j.Bytes()), ""},
		"GIF":               {dataURL("image/gif", g.Bytes()), ""},
		"WebP, lossy":       {dataURL("image/webp", webp("VP8 ", 0, 0, 0, 0x9d, 1, 0x2a, 3, 0, 2, 0)), ""},
		"WebP, lossless":    {dataURL("image/webp", webp("VP8L", 0x2f, 2, 0x40, 0, 0)), ""},
		"WebP, extended":    {dataURL("image/webp", webp("VP8X", 0, 0, 0, 0, 2, 0, 0, 1, 0, 0)), ""},
		"WebP, huge":        {dataURL("image/webp", webp("VP8X", 0, 0, 0, 0, 0xff, 0xff, 0xff, 1, 0, 0)), "measures 16777216 × 2"},
		"WebP, cut":         {dataURL("image/webp", webp("VP8X")[:24]), "no whole image/webp"},
		"WebP, unknown":     {dataURL("image/webp", webp("VP8Y")), `it begins with "VP8Y"`},
		"a bomb":            {dataURL("image/png", sized(p, 60_000, 60_000)), "measures 60000 × 60000"},
		"long":              {dataURL("image/png", sized(p, 16_385, 1)), "at most 16384 a side"},
		"many pixels":       {dataURL("image/png", sized(p, 16_000, 16_000)), "at most 16384 a side"},
		"as large as it is": {dataURL("image/png", sized(p, 16_384, 4096)), ""},
		"a cut header":      {dataURL("image/png", p[:20]), "no whole image/png"},
		"another type":      {dataURL("image/jpeg", p), "image says it is image/jpeg and is image/png"},
		"a program":         {dataURL("image/svg+xml", []byte("<svg/>")), "image/svg+xml"},
		"HTML":              {dataURL("image/png", []byte("<html><script>")), "and is text/html"},
		"no base64":         {"data:image/png;base64,%%%", "no valid base64"},
		"no data URL":       {"https://192.0.2.1/x.png", "an image is a data URL"},
		"nothing":           {"", "an image is a data URL"},
	} {
		kind, b, err := normal.Image(tc.in)
		if tc.err == "" {
			if err != nil || !strings.HasPrefix(tc.in, "data:"+kind) || len(b) == 0 {
				t.Errorf("%s: %s, %d bytes, %v", name, kind, len(b), err)
			}
			continue
		}
		if code := pipeline.CodeOf(err); err == nil || code != pipeline.CodeInvalid && code != pipeline.CodeTooLarge || !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, want %q", name, err, tc.err)
		}
	}
}

func FuzzImage(f *testing.F) {
	f.Add("image/png", pngOf(f, 3, 2))
	f.Add("image/webp", webp("VP8L", 0x2f, 2, 0x40, 0, 0))
	f.Add("image/gif", []byte("GIF89a"))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		got, body, err := normal.Image(dataURL(kind, b))
		if err == nil && (got != kind || !bytes.Equal(body, b)) {
			t.Errorf("%s became %s", kind, got)
		}
	})
}
