package pipeline

// SQLQuery is a SELECT that somebody wrote over the views of one project.
type SQLQuery struct {
	ProjectID string
	Text      string
}

// SQLColumn is a column of an answer; Type is the engine's name of its type.
type SQLColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// SQLAnswer is what a query gave.
type SQLAnswer struct {
	Columns   []SQLColumn `json:"columns"`
	Rows      [][]any     `json:"rows"`
	Truncated bool        `json:"truncated"` // there are more rows than an answer holds
}
