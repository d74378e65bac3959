package v1

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

type podSizes interface {
	PodSizes(ctx context.Context) ([]pipeline.PodSize, error)
	PodSize(ctx context.Context, name string) (pipeline.PodSize, error)
	LargestPodSize() pipeline.PodSize
	SavePodSize(ctx context.Context, s pipeline.PodSize) (pipeline.PodSize, error)
	DeletePodSize(ctx context.Context, s pipeline.PodSize) error
}

func (a *API) podSizeRoutes(r chi.Router) {
	r.Get("/pod-sizes", a.listPodSizes)
	r.Get("/pod-sizes/{name}", a.getPodSize)
	r.Put("/pod-sizes/{name}", a.savePodSize)
	r.Delete("/pod-sizes/{name}", a.deletePodSize)
}

// amounts is what a size may have at most.
type amounts struct {
	MilliCPU  int `json:"milliCpu"`
	MemoryMiB int `json:"memoryMiB"`
}

func (a *API) listPodSizes(w http.ResponseWriter, r *http.Request) {
	all, err := a.Control.PodSizes(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	most := a.Control.LargestPodSize()
	reply(w, http.StatusOK, struct {
		Items   []pipeline.PodSize `json:"items"`
		Total   int                `json:"total"`
		Largest amounts            `json:"largest"`
	}{all, len(all), amounts{most.MilliCPU, most.MemoryMiB}})
}

func (a *API) podSize(r *http.Request) (pipeline.PodSize, error) {
	name := chi.URLParam(r, "name")
	note(r, name)
	return a.Control.PodSize(r.Context(), name)
}

func (a *API) getPodSize(w http.ResponseWriter, r *http.Request) {
	s, err := a.podSize(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, s.Version, s)
}

// savePodSize adds a size or changes one; which of both does not matter to who asks.
func (a *API) savePodSize(w http.ResponseWriter, r *http.Request) {
	s, err := a.podSize(r)
	if pipeline.CodeOf(err) == pipeline.CodeNotFound {
		s, err = pipeline.PodSize{Name: chi.URLParam(r, "name")}, nil
	}
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		var in amounts
		if err = decode(w, r, &in); err == nil {
			s.MilliCPU, s.MemoryMiB = in.MilliCPU, in.MemoryMiB
			s, err = a.Control.SavePodSize(r.Context(), s)
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, s.Version, s)
}

func (a *API) deletePodSize(w http.ResponseWriter, r *http.Request) {
	s, err := a.podSize(r)
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		err = a.Control.DeletePodSize(r.Context(), s)
	}
	a.done(w, err)
}
