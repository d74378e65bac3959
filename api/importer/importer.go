// Package importer reads what other tools write, as streams of bounded memory, and
// gives what they say as findings in the form jobs write. It knows no project and no
// store: the caller checks the findings and passes them on.
//
// Files come from anywhere. A line that is not understood is an Item with an error
// and reading goes on; a file that breaks off gives what stands before; only input
// that cannot be read at all is an error.
package importer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Format is whose file it is.
type Format string

// The formats.
const (
	Nmap      Format = "nmap"      // XML, -oX
	Masscan   Format = "masscan"   // JSON, -oJ
	Nuclei    Format = "nuclei"    // JSON Lines, -jsonl, or JSON, -json-export
	Httpx     Format = "httpx"     // JSON Lines
	Subfinder Format = "subfinder" // JSON Lines
	Naabu     Format = "naabu"     // JSON Lines
	Katana    Format = "katana"    // JSON Lines
	List      Format = "list"      // a domain, address, network, host:port or URL a line
)

// Formats lists the formats.
func Formats() []Format {
	return []Format{Nmap, Masscan, Nuclei, Httpx, Subfinder, Naabu, Katana, List}
}

// Bounds of a file.
const (
	MaxFile  = 1 << 30 // bytes, after decompression
	maxEntry = 4 << 20 // bytes of one line, object or element
)

// Item is one thing a file says, or why an entry says nothing.
type Item struct {
	Line    int
	Finding Finding
	Err     error
}

// Finding is a finding as jobs write it.
type Finding struct {
	Type     pipeline.FindingType `json:"type"`
	Key      string               `json:"key,omitempty"`
	Name     string               `json:"name,omitempty"`
	IP       string               `json:"ip,omitempty"`
	Mask     *int                 `json:"mask,omitempty"`
	Port     int                  `json:"port,omitempty"`
	Protocol pipeline.Protocol    `json:"protocol,omitempty"`
	Domain   *string              `json:"domainName,omitempty"`
	Path     string               `json:"path,omitempty"`
	SSL      *bool                `json:"ssl,omitempty"`
	Fields   []Field              `json:"fields,omitempty"`
	// Unplaced says that it is about a website of which the address is not known: the
	// caller repeats it for every address it knows of the domain.
	Unplaced bool `json:"-"`
	// Ran is when the tool says it ran, in its own words. It tells the same statement
	// of two runs apart and is no time of anything: clocks of others are not trusted.
	Ran string `json:"-"`
}

// Field is a field of a finding.
type Field struct {
	Key  string `json:"key"`
	Type string `json:"type"`
	Data any    `json:"data"`
}

// Result is what became of a file.
type Result struct {
	Format    Format
	Lines     int
	Truncated bool // it breaks off
}

// ErrTooLarge says that a file is larger than MaxFile.
var ErrTooLarge = pipeline.Errorf(pipeline.CodeTooLarge, "the file has more than %d MiB when it is unpacked: split it", MaxFile>>20)

// Read reads a file, compressed with gzip or not, in a format, or in the one it
// looks like when that is "". It stops when each returns an error.
func Read(r io.Reader, f Format, each func(Item) error) (Result, error) {
	src, err := unpack(r)
	if err != nil {
		return Result{}, err
	}
	in := bufio.NewReaderSize(src, 64<<10)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // a byte order mark; it was peeked at
	}
	if f == "" {
		head, _ := in.Peek(32 << 10) // what there is
		f = Detect(head)
	}
	res := Result{Format: f}
	out := &sink{each: each, res: &res}
	switch f {
	case Nmap:
		err = readNmap(in, out)
	case List:
		err = readList(in, out)
	default:
		read, ok := objects[f]
		if !ok {
			return res, pipeline.Errorf(pipeline.CodeInvalid, "format %q is none of %v", f, Formats())
		}
		err = readObjects(in, out, read)
	}
	if err != nil && src.truncated(err) {
		res.Truncated, err = true, nil
	}
	return res, err
}

// objects are the formats that are JSON objects one after the other.
var objects = map[Format]func(raw []byte) ([]Finding, error){
	Masscan: masscan, Nuclei: nuclei, Httpx: httpx, Subfinder: subfinder, Naabu: naabu, Katana: katana,
}

// Detect says what a file looks like from how it begins.
func Detect(head []byte) Format {
	text := bytes.TrimLeft(head, " \t\r\n[,")
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return Nmap
	case !bytes.HasPrefix(text, []byte("{")):
		return List
	}
	keys := firstKeys(text)
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(keys, n) })
	}
	switch {
	case has("template-id", "templateID", "template"):
		return Nuclei
	case has("ports"), has("finished"):
		return Masscan
	case has("request", "endpoint"):
		return Katana
	case has("url"):
		return Httpx
	case has("port"):
		return Naabu
	case has("host"):
		return Subfinder
	default:
		return List
	}
}

// firstKeys are the keys of the object a text begins with, as far as it goes.
func firstKeys(text []byte) (keys []string) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil
	}
	for {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return keys
		}
		keys = append(keys, key)
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			return keys
		}
	}
}

// sink takes what readers find.
type sink struct {
	each func(Item) error
	res  *Result
}

func (s *sink) findings(line int, fs []Finding, err error) error {
	if err != nil {
		return s.each(Item{Line: line, Err: err})
	}
	for _, f := range fs {
		if err := s.each(Item{Line: line, Finding: f}); err != nil {
			return err
		}
	}
	return nil
}

// readList reads plain lists. What comes after a space or a # is a remark.
func readList(in *bufio.Reader, out *sink) error {
	for {
		line, err := readLine(in)
		if len(line) > 0 || err == nil || errors.Is(err, errLong) {
			out.res.Lines++
		}
		if errors.Is(err, errLong) {
			if err := out.findings(out.res.Lines, nil, err); err != nil {
				return err
			}
			continue
		}
		word := ""
		if fields := strings.Fields(string(line)); len(fields) > 0 && !strings.HasPrefix(fields[0], "#") {
			word = strings.TrimRight(fields[0], ",;")
		}
		if word != "" {
			fs, bad := target(word)
			if err := out.findings(out.res.Lines, fs, bad); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

var errLong = pipeline.Errorf(pipeline.CodeInvalid, "the line has more than %d bytes", 64<<10)

// readLine reads a line without its end; one that does not fit is passed over.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return bytes.TrimRight(line, "\r\n"), err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil, errLong
	}
	return nil, err
}
