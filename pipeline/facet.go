package pipeline

// FacetQuery asks which values fields have in a list, and how often.
type FacetQuery struct {
	Kind      Kind
	ProjectID string   // "" means every project in Visible
	Visible   []string // the projects the caller may see; nil means all there are
	Text      string   // a filter in the language of pipeline/filter; "" selects everything
	Fields    []string // fields of the kind whose values can be counted
	Prefix    string   // only values that begin with this, without regard to case
	Limit     int      // values per field, 1..100; 0 means 10
}

// Facet is what one field has, the most frequent value first.
type Facet struct {
	Field    string       `json:"field"`
	Values   []FacetValue `json:"values"`
	Distinct uint64       `json:"distinct"` // how many values there are, also those not in Values
}

// FacetValue is one value of a field.
type FacetValue struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}
