package rows

import "slices"

// Only drops the rows of the projects that keep does not want.
func (b *Batch) Only(keep func(project string) bool) {
	b.Domains = only(b.Domains, keep, func(r *Domain) string { return r.ProjectID })
	b.Hosts = only(b.Hosts, keep, func(r *Host) string { return r.ProjectID })
	b.Ranges = only(b.Ranges, keep, func(r *Range) string { return r.ProjectID })
	b.Ports = only(b.Ports, keep, func(r *Port) string { return r.ProjectID })
	b.Websites = only(b.Websites, keep, func(r *Website) string { return r.ProjectID })
	b.Links = only(b.Links, keep, func(r *Link) string { return r.ProjectID })
	b.Tags = only(b.Tags, keep, func(r *Tag) string { return r.ProjectID })
	b.Findings = only(b.Findings, keep, func(r *Finding) string { return r.ProjectID })
	b.Executions = only(b.Executions, keep, func(r *Execution) string { return r.ProjectID })
	b.Lines = only(b.Lines, keep, func(r *Line) string { return r.ProjectID })
	b.Paths = only(b.Paths, keep, func(r *Path) string { return r.ProjectID })
	b.Marks = only(b.Marks, keep, func(r *Mark) string { return r.ProjectID })
	b.Changes = only(b.Changes, keep, func(r *Change) string { return r.ProjectID })
	b.Unsure = only(b.Unsure, keep, func(r *Change) string { return r.ProjectID })
	b.Sweeps = only(b.Sweeps, keep, func(r *Sweep) string { return r.ProjectID })
	b.Verdicts = only(b.Verdicts, keep, func(r *Verdict) string { return r.ProjectID })
}

func only[R any](rs []R, keep func(string) bool, project func(*R) string) []R {
	return slices.DeleteFunc(rs, func(r R) bool { return !keep(project(&r)) })
}
