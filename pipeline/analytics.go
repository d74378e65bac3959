package pipeline

import "time"

// Step is how long the stretches of a series are.
type Step string

// The steps. Weeks begin on Monday; everything is in UTC.
const (
	StepMinute Step = "minute"
	StepHour   Step = "hour"
	StepDay    Step = "day"
	StepWeek   Step = "week"
	StepMonth  Step = "month"
)

// Steps lists the steps, the shortest first.
func Steps() []Step { return []Step{StepMinute, StepHour, StepDay, StepWeek, StepMonth} }

// Floor returns the beginning of the stretch in which t lies.
func (s Step) Floor(t time.Time) time.Time {
	t = t.UTC()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch s {
	case StepMinute:
		return t.Truncate(time.Minute)
	case StepHour:
		return t.Truncate(time.Hour)
	case StepDay:
		return day
	case StepWeek:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	default:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
}

// Next returns the beginning of the stretch after the one that begins at t.
func (s Step) Next(t time.Time) time.Time {
	switch s {
	case StepMinute:
		return t.Add(time.Minute)
	case StepHour:
		return t.Add(time.Hour)
	case StepDay:
		return t.AddDate(0, 0, 1)
	case StepWeek:
		return t.AddDate(0, 0, 7)
	default:
		return t.AddDate(0, 1, 0)
	}
}

// SeriesQuery asks when the things of a list came: resources when they were first
// seen, findings when they were accepted, executions when they were asked for.
type SeriesQuery struct {
	Kind      Kind
	ProjectID string    // "" means every project in Visible
	Visible   []string  // the projects the caller may see; nil means all there are
	Text      string    // a filter in the language of pipeline/filter; "" selects everything
	Field     string    // a field whose most frequent values get a line each; "" for none
	Limit     int       // lines, 1..20; 0 means 5
	Since     time.Time // inclusive; zero means 30 days before Until
	Until     time.Time // exclusive; zero means now
	Step      Step      // "" for one that gives about 60 stretches or fewer
}

// Series is a number for every stretch of time.
type Series struct {
	Step   Step          `json:"step"`
	Since  time.Time     `json:"since"`
	Until  time.Time     `json:"until"`
	At     []time.Time   `json:"at"`     // where each stretch begins
	Counts []uint64      `json:"counts"` // what came in each
	Total  uint64        `json:"total"`
	Values []SeriesValue `json:"values"` // one per value of the field, the most frequent first
}

// SeriesValue is the line of one value.
type SeriesValue struct {
	Value  string   `json:"value"`
	Counts []uint64 `json:"counts"`
	Total  uint64   `json:"total"`
}

// TrendQuery asks how much there is, and how much of it is new.
type TrendQuery struct {
	ProjectID string    // "" means every project in Visible
	Visible   []string  // the projects the caller may see; nil means all there are
	Since     time.Time // zero means 7 days ago
}

// Trends compare the time since a moment with the same time before it.
type Trends struct {
	Since        time.Time        `json:"since"`
	Until        time.Time        `json:"until"`
	Before       time.Time        `json:"before"` // where the time that is compared with begins
	Domains      Trend            `json:"domains"`
	Hosts        Trend            `json:"hosts"`
	Ranges       Trend            `json:"ipRanges"`
	Ports        Trend            `json:"ports"`
	Websites     Trend            `json:"websites"`
	Findings     Trend            `json:"findings"`
	Executions   map[State]Trend  `json:"executions"` // by the state they are in now
	Certificates CertificateTrend `json:"certificates"`
}

// Trend is how many there are now, and how many came of late.
type Trend struct {
	Total    uint64 `json:"total"`
	New      uint64 `json:"new"`
	Previous uint64 `json:"previous"` // new in the time before
}

// CertificateTrend counts certificates of websites, each once.
type CertificateTrend struct {
	Total   uint64 `json:"total"`
	Expired uint64 `json:"expired"`
	Soon    uint64 `json:"soon"` // within 30 days
}

// JobStatsQuery asks how jobs do.
type JobStatsQuery struct {
	ProjectID string    // "" means every project in Visible
	Visible   []string  // the projects the caller may see; nil means all there are
	Text      string    // a filter of executions in the language of pipeline/filter
	Since     time.Time // zero means 7 days ago
	Limit     int       // jobs, 1..100; 0 means 20
}

// JobStats says how the executions of one job went. Durations are of executions
// that began and ended, in seconds.
type JobStats struct {
	Job        string           `json:"job"`
	Executions uint64           `json:"executions"`
	States     map[State]uint64 `json:"states"`
	Median     float64          `json:"median"`
	P95        float64          `json:"p95"`
	Max        float64          `json:"max"`
	Seconds    float64          `json:"seconds"` // of all together
}
