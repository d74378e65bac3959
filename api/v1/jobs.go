package v1

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
)

// jobView is a job as clients see it.
type jobView struct {
	pipeline.Job
	Deadline string `json:"deadline,omitempty"` // such as 30m; the launcher's default when missing
}

func viewJob(j pipeline.Job) jobView {
	v := jobView{Job: j}
	if j.Deadline > 0 {
		v.Deadline = j.Deadline.String()
	}
	return v
}

// jobInput is what a person may set; nil leaves it as it is.
type jobInput struct {
	Name       *string               `json:"name"`
	Summary    *string               `json:"summary"`
	Type       *pipeline.JobType     `json:"type"`
	Language   *string               `json:"language"`
	Code       *string               `json:"code"`
	Handler    *string               `json:"handler"`
	Image      *string               `json:"image"`
	Command    *[]string             `json:"command"`
	RawSockets *bool                 `json:"rawSockets"`
	PodSize    *string               `json:"podSize"`
	Category   *string               `json:"category"`
	Parameters *[]pipeline.Parameter `json:"parameters"`
	Deadline   *string               `json:"deadline"`
}

func set[T any](into, from *T) {
	if from != nil {
		*into = *from
	}
}

func (in *jobInput) apply(j *pipeline.Job) error {
	set(&j.Name, in.Name)
	set(&j.Summary, in.Summary)
	set(&j.Type, in.Type)
	set(&j.Language, in.Language)
	set(&j.Code, in.Code)
	set(&j.Handler, in.Handler)
	set(&j.Image, in.Image)
	set(&j.Command, in.Command)
	set(&j.RawSockets, in.RawSockets)
	set(&j.PodSize, in.PodSize)
	set(&j.Category, in.Category)
	set(&j.Parameters, in.Parameters)
	if in.Deadline == nil {
		return nil
	}
	j.Deadline = 0
	if *in.Deadline == "" {
		return nil
	}
	d, err := time.ParseDuration(*in.Deadline)
	if err != nil {
		return control.Problems{{Path: "deadline", Message: "is no duration such as 30m or 1h30m"}}
	}
	j.Deadline = d
	return nil
}

// readJob changes j by a body: JSON with some of its fields, or a whole template
// in YAML.
func readJob(w http.ResponseWriter, r *http.Request, j *pipeline.Job) error {
	text, isYAML, err := yamlBody(w, r)
	if err != nil {
		return err
	}
	if !isYAML {
		var in jobInput
		if err := decode(w, r, &in); err != nil {
			return err
		}
		return in.apply(j)
	}
	t, err := control.ParseTemplate(text)
	t.ID, t.Version, t.BuiltIn, t.SourceID, t.SourceFile, t.OriginID = j.ID, j.Version, j.BuiltIn, j.SourceID, j.SourceFile, j.OriginID
	*j = t
	return err
}

func (a *API) listJobs(w http.ResponseWriter, r *http.Request) {
	jobs, err := a.Control.Jobs(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	views := make([]jobView, len(jobs))
	for i, j := range jobs {
		views[i] = viewJob(j)
	}
	list(w, views)
}

func (a *API) job(r *http.Request) (pipeline.Job, error) {
	return a.Control.Job(r.Context(), chi.URLParam(r, "id"))
}

func (a *API) getJob(w http.ResponseWriter, r *http.Request) {
	j, err := a.job(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, j.Version, viewJob(j))
}

func (a *API) createJob(w http.ResponseWriter, r *http.Request) {
	j := pipeline.Job{ID: newID(r)}
	err := readJob(w, r, &j)
	if err == nil {
		j, err = a.Control.CreateJob(r.Context(), j)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/jobs/"+j.ID, j.Version, viewJob(j))
}

func (a *API) updateJob(w http.ResponseWriter, r *http.Request) {
	j, err := a.job(r)
	if err == nil {
		err = match(r, j.Version)
	}
	if err == nil {
		err = readJob(w, r, &j)
	}
	if err == nil {
		j, err = a.Control.UpdateJob(r.Context(), j)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, j.Version, viewJob(j))
}

func (a *API) duplicateJob(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
	}
	err := decodeOptional(w, r, &in)
	var j pipeline.Job
	if err == nil {
		j, err = a.Control.DuplicateJob(r.Context(), chi.URLParam(r, "id"), in.Name, newID(r))
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/jobs/"+j.ID, j.Version, viewJob(j))
}

// revertJob makes a copy what its original is now.
func (a *API) revertJob(w http.ResponseWriter, r *http.Request) {
	j, err := a.job(r)
	if err == nil {
		err = match(r, j.Version)
	}
	if err == nil {
		j, err = a.Control.RevertJob(r.Context(), j)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, j.Version, viewJob(j))
}

func (a *API) deleteJob(w http.ResponseWriter, r *http.Request) {
	j, err := a.job(r)
	if err == nil {
		err = match(r, j.Version)
	}
	if err == nil {
		err = a.Control.DeleteJob(r.Context(), j)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
