package v1

import (
	"net/http"

	"github.com/stalker-asm/stalker/api/control"
)

// subscriptionCheck is what a document says and what is wrong with it.
type subscriptionCheck struct {
	Trigger  string           `json:"trigger,omitempty"`
	Findings []string         `json:"findings,omitempty"`
	Schedule string           `json:"schedule,omitempty"`
	Job      string           `json:"job,omitempty"`
	Problems control.Problems `json:"problems"`
}

// checkSubscription reads a document as if it were saved and enabled, for editors
// that ask while somebody types.
func (a *API) checkSubscription(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Document string `json:"document"`
	}
	err := decode(w, r, &in)
	var st control.SubscriptionState
	if err == nil {
		st, err = a.Control.CheckSubscription(r.Context(), in.Document)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	check := subscriptionCheck{Trigger: st.Trigger, Findings: st.Findings, Schedule: st.Schedule, Job: st.Job, Problems: st.Problems}
	if check.Problems == nil {
		check.Problems = control.Problems{}
	}
	reply(w, http.StatusOK, check)
}
