package v1

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
)

// This is the proof that every route is open to those whom the API's document names
// and to nobody else. What is expected is worked out here from the document and
// from what each role was given, by rules of its own.
//
// A request with a query parameter that nobody knows gets 400 from the gate, after
// the gate has let its caller in and before the handler does anything: so every
// route can be tried by everybody, and nothing happens.

// role is somebody who tries, and what they were given.
type role struct {
	name       string
	client     *client
	anonymous  bool
	everywhere []string
	inProjects map[string][]string
	keyScopes  []string // of an API key; nil for none
	keyProject string   // the only project of an API key
}

// may is the rule itself: what is granted everywhere or in the project, cut down to
// what the key has.
func (r *role) may(scope, project string) bool {
	if r.keyScopes != nil && !granted(r.keyScopes, scope) || r.keyProject != "" && r.keyProject != project {
		return false
	}
	return granted(r.everywhere, scope) || project != "" && granted(r.inProjects[project], scope)
}

// sees is whether a project exists for somebody: a key's scopes do not matter to that.
func (r *role) sees(project string) bool {
	const scope = "manage:projects:read"
	return (r.keyProject == "" || r.keyProject == project) && (granted(r.everywhere, scope) || granted(r.inProjects[project], scope))
}

func granted(list []string, scope string) bool {
	return slices.ContainsFunc(list, func(g string) bool {
		have, want := strings.Split(g, ":"), strings.Split(scope, ":")
		for i, part := range have {
			if part == "*" && i == len(have)-1 {
				return true
			}
			if i >= len(want) || part != "*" && part != want[i] {
				return false
			}
		}
		return len(have) == len(want)
	})
}

// expected is the status of a request that asks for a project, "" for none.
func (r *role) expected(op *openapi.Operation, project string, projects []string) int {
	switch {
	case op.Public:
		return 400
	case r.anonymous:
		return 401
	case op.Scope == "self":
		return 400
	case op.Project == openapi.ProjectNone:
		return map[bool]int{true: 400, false: 403}[r.may(op.Scope, "")]
	case project != "" && !r.sees(project):
		return 404
	case project != "":
		return map[bool]int{true: 400, false: 403}[r.may(op.Scope, project)]
	default:
		somewhere := r.keyProject == "" && granted(r.everywhere, op.Scope) && (r.keyScopes == nil || granted(r.keyScopes, op.Scope))
		somewhere = somewhere || slices.ContainsFunc(projects, func(p string) bool { return r.may(op.Scope, p) })
		return map[bool]int{true: 400, false: 403}[somewhere]
	}
}

// stage is two projects, and everybody.
type stage struct {
	*world
	own, foreign string
	roles        []*role
	admin        *client
}

func newStage(t *testing.T, s store) *stage {
	t.Helper()
	st := &stage{world: newWorld(t, s)}
	op := st.operator()
	for name, into := range map[string]*string{"Own": &st.own, "Foreign": &st.foreign} {
		var p pipeline.Project
		op.must("POST", "/projects", map[string]any{"name": name}, &p)
		*into = p.ID
	}
	person := func(name string, groups ...string) *role {
		r := &role{name: name, inProjects: map[string][]string{}}
		for _, g := range auth.BuiltInGroups() {
			if slices.Contains(groups, g.ID) {
				r.everywhere = append(r.everywhere, g.Scopes...)
			}
		}
		r.client = st.person(strings.ReplaceAll(name, " ", "-")+"@example.com", groups...)
		return r
	}
	member := func(name, project string, as auth.Role) *role {
		r := person(name)
		op.must("PUT", "/projects/"+project+"/members/user/"+r.client.id, map[string]any{"role": as}, nil)
		r.inProjects[project] = as.Scopes()
		r.everywhere = []string{"manage:api-key:create", "automation:custom-jobs:read", "automation:job-templates:read", "automation:job-containers:read", "automation:pod-sizes:read", "data:tables:read"}
		return r
	}
	admin := person("admin", auth.AdminsID)
	st.admin = admin.client
	st.roles = []*role{
		{name: "anonymous", client: &client{w: st.world}, anonymous: true},
		person("nobody"), person("reader", auth.ReadOnlyID), person("user", auth.UsersID), admin,
		member("viewer", st.own, auth.RoleViewer), member("editor", st.own, auth.RoleEditor), member("owner", st.own, auth.RoleOwner),
		member("foreign owner", st.foreign, auth.RoleOwner),
		st.key("*", []string{"*"}, st.foreign),
	}
	return st
}

// key is a program of the admin's.
func (st *stage) key(name string, scopes []string, project string) *role {
	st.t.Helper()
	in := map[string]any{"name": name, "scopes": scopes, "expiresAt": time.Now().Add(time.Hour)}
	if project != "" {
		in["projects"] = []string{project}
	}
	var made struct{ Token string }
	st.admin.must("POST", "/api-keys", in, &made)
	return &role{name: "key with " + name, client: &client{w: st.world, token: made.Token}, everywhere: []string{"*"}, keyScopes: scopes, keyProject: project}
}

// scopes are all that operations take.
func scopes(doc *openapi.Document) (list []string) {
	for _, op := range doc.Operations() {
		if !op.Public && op.Scope != "self" && !slices.Contains(list, op.Scope) {
			list = append(list, op.Scope)
		}
	}
	return list
}

func TestEveryRouteForEveryRole(t *testing.T) {
	st := newStage(t, shelf{})
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	try := func(r *role, op *openapi.Operation, project string) {
		path := strings.ReplaceAll(op.Path, "{projectId}", project)
		path = parameter.ReplaceAllString(path, missing) + "?poison=1"
		if op.Project == openapi.ProjectQuery && project != "" {
			path += "&project=" + project
		}
		if op.Project != openapi.ProjectQuery && op.Project != openapi.ProjectPath {
			project = ""
		}
		want := r.expected(op, project, []string{st.own, st.foreign})
		a := r.client.call(op.Method, path, map[string]any{})
		if tried++; a.status != want {
			t.Errorf("%s: %s %s (%s, %s): %d, want %d\n%s", r.name, op.Method, path, op.ID, op.Scope, a.status, want, a.body)
		}
	}
	for _, op := range doc.Operations() {
		for _, r := range st.roles {
			try(r, op, st.own)
			if op.Project == openapi.ProjectPath || op.Project == openapi.ProjectQuery {
				try(r, op, st.foreign)
			}
			if op.Project == openapi.ProjectQuery {
				try(r, op, "")
			}
		}
	}
	// each scope opens what it names and nothing else
	for _, s := range scopes(doc) {
		only := st.key(s, []string{s}, "")
		but := st.key("all but "+s, slices.DeleteFunc(scopes(doc), func(x string) bool { return x == s }), "")
		for _, op := range doc.Operations() {
			if op.Scope == s {
				try(only, op, st.own)
				try(but, op, st.own)
			}
		}
		try(only, doc.Operation("GET", "/users"), "")
	}
	t.Logf("%d requests, %d operations, %d scopes", tried, len(doc.Operations()), len(scopes(doc)))
	if tried < 10*len(doc.Operations()) {
		t.Errorf("only %d requests were tried", tried)
	}
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

const missing = "eeeeeeeeeeeeeeeeeeeeeeee"

// stocked is a store with one thing of each kind, all of one project.
type stocked struct {
	shelf
	project *string
}

const thing = "bbbbbbbbbbbbbbbbbbbbbbbb"

func (s stocked) seen(id string) (pipeline.Seen, error) {
	if id != thing {
		return pipeline.Seen{}, pipeline.Errorf(pipeline.CodeNotFound, "nothing")
	}
	return pipeline.Seen{ID: thing, ProjectID: *s.project, CorrelationKey: "project:" + *s.project + ";domain:a.example", Tags: []string{}}, nil
}

func (s stocked) Domain(_ context.Context, id string) (d pipeline.Domain, err error) {
	d.Seen, err = s.seen(id)
	d.Hosts, d.Name = []string{}, "a.example"
	return d, err
}

func (s stocked) Host(_ context.Context, id string) (h pipeline.Host, err error) {
	h.Seen, err = s.seen(id)
	h.Domains, h.IP = []string{}, "192.0.2.1"
	return h, err
}

func (s stocked) Range(_ context.Context, id string) (x pipeline.IPRange, err error) {
	x.Seen, err = s.seen(id)
	x.CIDR = "192.0.2.0/24"
	return x, err
}

func (s stocked) Port(_ context.Context, id string) (p pipeline.Port, err error) {
	p.Seen, err = s.seen(id)
	p.IP, p.Port, p.Protocol = "192.0.2.1", 80, pipeline.TCP
	return p, err
}

func (s stocked) Website(_ context.Context, id string) (x pipeline.Website, err error) {
	x.Seen, err = s.seen(id)
	x.IP, x.Port, x.Path, x.URL, x.Technologies, x.SiteMap = "192.0.2.1", 80, "/", "http://192.0.2.1/", []string{}, []string{}
	return x, err
}

func (s stocked) Execution(_ context.Context, id string) (e pipeline.Execution, err error) {
	if _, err := s.seen(id); err != nil {
		return e, err
	}
	return pipeline.Execution{ID: thing, ProjectID: *s.project, Job: "J", State: pipeline.StateSucceeded, Arguments: []pipeline.Argument{}, Cause: pipeline.Cause{RootID: thing}}, nil
}

func (stocked) Logs(context.Context, pipeline.LogQuery) (pipeline.LogPage, error) {
	levels := map[pipeline.Level]uint64{}
	for _, l := range pipeline.Levels() {
		levels[l] = 0
	}
	return pipeline.LogPage{Page: pipeline.Page[pipeline.LogLine]{Items: []pipeline.LogLine{}}, Levels: levels}, nil
}

func (stocked) EachExecution(context.Context, pipeline.ExecutionQuery, func([]pipeline.Execution) error) error {
	return nil
}

// idOf is the id of a thing of the project Own that {id} of a path names. A route
// below a new prefix whose things belong to projects needs a line here.
func (st *stage) idOf(path string) string {
	switch strings.Split(path, "/")[1] {
	case "domains", "hosts", "ip-ranges", "ports", "websites", "executions":
		return thing
	case "findings":
		return strings.Repeat("f", pipeline.FindingIDLen)
	case "subscriptions":
		var s pipeline.Subscription
		document := fmt.Sprintf("name: %s\nfindings: [PortFinding]\ncooldown: 1\njob: {name: J}\n", pipeline.NewID())
		st.operator().must("POST", "/subscriptions", map[string]any{"projectId": st.own, "document": document}, &s)
		return s.ID
	case "secrets":
		var made struct{ ID string }
		st.operator().must("POST", "/secrets", map[string]any{"projectId": st.own, "name": "S" + pipeline.NewID(), "value": "v"}, &made)
		return made.ID
	case "notifications":
		var made struct{ ID string }
		st.operator().must("POST", "/notifications", map[string]any{
			"projectId": st.own, "name": pipeline.NewID(), "source": "changes", "channel": map[string]any{"type": "email", "to": []string{"a@example.com"}},
		}, &made)
		return made.ID
	default:
		return ""
	}
}

// Where only the handler knows the project, real requests are made about real
// things: first by those who may not, then by those who may.
func TestThingsOfAProjectForEveryRole(t *testing.T) {
	own := new(string)
	st := newStage(t, stocked{project: own})
	*own = st.own
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	st.operator().must("POST", "/jobs", map[string]any{"name": "J", "type": "code", "language": "python", "code": "pass"}, nil)
	for _, op := range doc.Operations() {
		if op.Project != openapi.ProjectItem && op.Project != openapi.ProjectBody || strings.HasSuffix(op.Path, "/stream") {
			continue
		}
		for _, allowed := range []bool{false, true} {
			for _, r := range st.roles {
				if !r.anonymous && r.may(op.Scope, st.own) == allowed {
					st.act(r, op, allowed)
				}
			}
		}
	}
}

// act makes a real request.
func (st *stage) act(r *role, op *openapi.Operation, allowed bool) {
	path := op.Path
	if op.Project == openapi.ProjectItem {
		what := st.idOf(path)
		if what == "" {
			st.t.Errorf("%s: idOf does not know what {id} of %s is: add it", op.ID, path)
			return
		}
		path = parameter.ReplaceAllString(path, what)
	}
	var body map[string]any
	if len(op.Media) > 0 {
		if err := json.Unmarshal(op.Example, &body); err != nil {
			st.t.Errorf("%s needs an example of its body: %v", op.ID, err)
			return
		}
	}
	if op.Project == openapi.ProjectBody {
		body["projectId"] = st.own
	}
	a := r.client.call(op.Method, path, body)
	var p problem
	if a.status >= 400 {
		_ = json.Unmarshal(a.body, &p)
	}
	hidden := a.status == 404 && (strings.Contains(p.Detail, "no project has the id") || strings.Contains(p.Detail, "nothing has this id") || strings.Contains(p.Detail, "no subscription has") || strings.Contains(p.Detail, "no secret has"))
	switch {
	case allowed && (a.status == 401 || a.status == 403 || hidden):
		st.t.Errorf("%s may %s and got %d %s", r.name, op.ID, a.status, a.body)
	case !allowed && !hidden && a.status != 403:
		st.t.Errorf("%s may not %s and got %d %s", r.name, op.ID, a.status, a.body)
	case !allowed && a.status == 403 && !r.sees(st.own) && !strings.Contains(p.Detail, "in a project"):
		st.t.Errorf("%s may not know of the project and got %s from %s", r.name, a.body, op.ID)
	}
}

func (stocked) Executions(context.Context, pipeline.ExecutionQuery) (pipeline.Page[pipeline.Execution], error) {
	return pipeline.Page[pipeline.Execution]{Items: []pipeline.Execution{}}, nil
}

func (s stocked) Finding(_ context.Context, q pipeline.FindingQuery, id string) (pipeline.StoredFinding, error) {
	if q.Visible != nil && !slices.Contains(q.Visible, *s.project) {
		return pipeline.StoredFinding{}, pipeline.Errorf(pipeline.CodeNotFound, "no finding has this id")
	}
	return pipeline.StoredFinding{ID: id, ProjectID: *s.project, Type: pipeline.PortFinding, Source: pipeline.SourceUser, Fields: []pipeline.Field{}}, nil
}

func (stocked) Verdicts(context.Context, string, string) ([]pipeline.StoredVerdict, error) {
	return nil, nil
}
