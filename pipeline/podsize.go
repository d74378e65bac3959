package pipeline

import (
	"regexp"
	"time"
)

// PodSize is what a pod of a job requests, and its limit.
type PodSize struct {
	Name       string    `json:"name"`
	MilliCPU   int       `json:"milliCpu"` // thousandths of a CPU
	MemoryMiB  int       `json:"memoryMiB"`
	Configured bool      `json:"configured,omitempty"` // the server's configuration has one of this name
	Version    int64     `json:"version"`              // grows with every change; 0 for one as it is configured
	UpdatedAt  time.Time `json:"updatedAt,omitzero"`
}

// The least a pod can do something with.
const (
	MinMilliCPU  = 10
	MinMemoryMiB = 16
)

var podSizeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$`)

// IsPodSizeName reports whether a pod size may have the name.
func IsPodSizeName(s string) bool { return podSizeName.MatchString(s) }

// DefaultPodSizes are the sizes there are when nobody says otherwise, from small to
// large.
func DefaultPodSizes() []PodSize {
	return []PodSize{
		{Name: "XS", MilliCPU: 50, MemoryMiB: 50, Configured: true},
		{Name: "S", MilliCPU: 75, MemoryMiB: 75, Configured: true},
		{Name: "M", MilliCPU: 150, MemoryMiB: 150, Configured: true},
		{Name: "L", MilliCPU: 250, MemoryMiB: 512, Configured: true},
		{Name: "XL", MilliCPU: 500, MemoryMiB: 1024, Configured: true},
		{Name: "XXL", MilliCPU: 1000, MemoryMiB: 2048, Configured: true},
	}
}

// LargestPodSize is the most that people may give a pod size when the operator does
// not say otherwise.
func LargestPodSize() PodSize { return PodSize{MilliCPU: 2000, MemoryMiB: 2048} }
