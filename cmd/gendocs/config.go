package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/stalker-asm/stalker/pipeline/config"
)

const module = "github.com/stalker-asm/stalker/"

// configPage lists every key with its default and the comment of its field.
func configPage(root string, cfg any) (string, error) {
	home, _ := os.UserHomeDir()
	p := configWriter{root: root, home: home, docs: map[string]map[string]string{}}
	p.WriteString("# Configuration\n\nWritten by `make docs` from the source. A file is given with `--config`; every key may also be set in the environment, as\n" +
		"`STALKER_CFG_` and the key in capitals with `__` for the dots: `STALKER_CFG_HTTP__LISTEN=:8080`. Order: defaults, file, environment,\n" +
		"flags. Unknown keys are errors, and `stalker config check` reports every problem at once; `stalker config dump` shows what is in force.\n\n" +
		"| Key | Default | Meaning |\n|---|---|---|\n")
	if err := p.fields(reflect.ValueOf(cfg), ""); err != nil {
		return "", err
	}
	return p.String(), nil
}

type configWriter struct {
	strings.Builder
	root, home string
	docs       map[string]map[string]string // package path → Type.Field → comment
}

func (p *configWriter) fields(v reflect.Value, prefix string) error {
	for f, value := range v.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			continue
		}
		doc, err := p.comment(v.Type(), f.Name)
		if err != nil {
			return err
		}
		if value.Kind() == reflect.Struct && strings.HasPrefix(value.Type().PkgPath(), module) {
			if doc != "" {
				fmt.Fprintf(p, "| **%s%s** | | %s |\n", prefix, key, doc)
			}
			if err := p.fields(value, prefix+key+"."); err != nil {
				return err
			}
			continue
		}
		text, err := p.value(value)
		if err != nil {
			return err
		}
		fmt.Fprintf(p, "| `%s%s` | %s | %s |\n", prefix, key, text, doc)
	}
	return nil
}

func (p *configWriter) value(v reflect.Value) (string, error) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return "`" + x.String() + "`", nil
	case config.Secret:
		return "", nil
	}
	b, err := yaml.MarshalWithOptions(v.Interface(), yaml.Flow(true))
	if err != nil {
		return "", err
	}
	s := strings.ReplaceAll(strings.TrimSpace(string(b)), p.home, "~")
	if s == `""` || s == "[]" || s == "{}" || s == "null" {
		return "", nil
	}
	return "`" + s + "`", nil
}

// comment returns the comment of a field, read from the package's source.
func (p *configWriter) comment(t reflect.Type, field string) (string, error) {
	pkg := t.PkgPath()
	if p.docs[pkg] == nil {
		docs, err := comments(filepath.Join(p.root, strings.TrimPrefix(pkg, module)))
		if err != nil {
			return "", err
		}
		p.docs[pkg] = docs
	}
	return p.docs[pkg][t.Name()+"."+field], nil
}

func comments(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err == nil && len(files) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("source of %s: %w", dir, err)
	}
	out := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					fieldComments(out, spec.Name.Name, s)
				}
			}
			return true
		})
	}
	return out, nil
}

func fieldComments(out map[string]string, name string, s *ast.StructType) {
	for _, f := range s.Fields.List {
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
		for _, n := range f.Names {
			out[name+"."+n.Name] = text
		}
	}
}
