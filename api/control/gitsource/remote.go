package gitsource

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/egress"
)

// remote is a repository as git is told of it.
type remote struct {
	url, shown string // shown is without credentials
	protocol   string
	options    []string
	env        []string
	host, at   string // of ssh: as known_hosts has it, and where it was found to be
}

var (
	branchForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)
	hostForm   = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`) // nothing a shell could understand
	userForm   = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
)

// CheckBranch reports what is wrong with the name of a branch.
func CheckBranch(name string) error {
	if name != "" && (!branchForm.MatchString(name) || strings.Contains(name, "..")) {
		return pipeline.Errorf(pipeline.CodeInvalid, "branch: %q is no name of a branch", name)
	}
	return nil
}

// Check reports what is wrong with an address, without asking anybody.
func (f *Fetcher) Check(address string) error {
	_, err := f.parse(address)
	return err
}

func (f *Fetcher) parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > 2000 || strings.ContainsAny(address, "\n\r\x00") {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "url: an address such as https://git.example.com/team/rules.git is expected")
	}
	switch {
	case u.Scheme == "file" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
		if !f.cfg.AllowPrivate {
			return nil, pipeline.Errorf(pipeline.CodeForbidden, "url: files of the server are not allowed as sources: sources.allowPrivate")
		}
		return u, nil
	case u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" || u.Hostname() == "" || !hostForm.MatchString(u.Hostname()) || strings.HasPrefix(u.Hostname(), "-") || strings.Trim(u.Path, "/") == "":
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "url: https, http and ssh are understood, such as https://git.example.com/team/rules.git")
	case u.User != nil && u.Scheme != "ssh":
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "url: credentials do not belong into an address, where everybody who may see sources reads them")
	case u.User != nil && (!userForm.MatchString(u.User.Username()) || strings.HasPrefix(u.User.Username(), "-")):
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "url: the user is not understood")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "url: must not have a query or fragment")
	}
	return u, nil
}

// remote resolves an address once, refuses what is not public, and ties git to what
// it was found to be, so that a name cannot mean something else a moment later.
func (f *Fetcher) remote(ctx context.Context, address string) (remote, error) {
	u, err := f.parse(address)
	if err != nil {
		return remote{}, err
	}
	r := remote{url: u.String(), shown: u.Redacted(), protocol: u.Scheme}
	if u.Scheme == "file" {
		return r, nil
	}
	addrs, err := f.lookup(ctx, u.Hostname())
	if err != nil || len(addrs) == 0 {
		return r, pipeline.Errorf(pipeline.CodeUnavailable, "%s cannot be resolved", u.Hostname())
	}
	for _, a := range addrs {
		if !f.cfg.AllowPrivate && !egress.Public(a) {
			return r, pipeline.Errorf(pipeline.CodeForbidden, "%s is at %s, which is no public address: sources.allowPrivate", u.Hostname(), a)
		}
	}
	to := addrs[0].Unmap().String()
	if u.Scheme == "ssh" {
		r.host, r.at = knownAs(u), to
		return r, nil
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	if strings.Contains(to, ":") {
		to = "[" + to + "]"
	}
	r.options = []string{"-c", "http.curloptResolve=" + u.Hostname() + ":" + port + ":" + to, "-c", "http.proxy="}
	if u.Scheme == "https" { // nothing is said about who we are where others can listen
		r.options = append(r.options, f.cfg.trust()...)
	}
	return r, nil
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
