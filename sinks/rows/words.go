package rows

import (
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Words writes what a finding says as one text that a search looks through without
// parsing. It is a Z, and for each field its key, a Q, its text in lower case and a Z;
// before the fields stand the name and the key of the finding, as the text of fields
// without a Q. The key of a field is in the letters A to P. What is looked for is in
// lower case too, so it is never found in such a key, and never across the end of a field.
//
// Images are not said: their data stands elsewhere.
func Words(name, key string, fields []pipeline.Field) string {
	var b strings.Builder
	b.WriteByte('Z')
	for _, s := range []string{name, key} {
		b.WriteString(strings.ToLower(s))
		b.WriteByte('Z')
	}
	for i := range fields {
		f := &fields[i]
		writeKey(&b, f.Key)
		if f.Type != pipeline.ImageField {
			b.WriteString(strings.ToLower(f.Text()))
		}
		b.WriteByte('Z')
	}
	return b.String()
}

// WordsAs is how the text of a field with a key begins in what Words writes.
func WordsAs(key string) string {
	var b strings.Builder
	writeKey(&b, key)
	return b.String()
}

func writeKey(b *strings.Builder, key string) {
	for i := range len(key) {
		b.WriteByte('A' + key[i]>>4)
		b.WriteByte('A' + key[i]&15)
	}
	b.WriteByte('Q')
}
