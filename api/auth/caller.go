package auth

// Caller is who makes a request and what they may do.
type Caller struct {
	User
}

// May reports whether the caller may do what a scope names, such as
// resources:domains:read, in a project; "" asks for what belongs to no project.
func (c *Caller) May(_, _ string) bool { return c.ID != "" }

// Projects returns the projects in which the caller may do what a scope names;
// all is true when that is every project.
func (c *Caller) Projects(_ string) (ids []string, all bool) { return nil, c.ID != "" }
