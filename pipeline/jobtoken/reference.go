package jobtoken

import (
	"encoding/json"

	"github.com/stalker-asm/stalker/pipeline"
)

// referenceContext is the credential as images made for the reference product carry
// it, in the environment's RedKiteContext. They pass it on as it is, so that the
// signature may be anything: it is the token.
type referenceContext struct {
	ID        string `json:"Id"`
	ProjectID string `json:"ProjectId"`
	Signature string `json:"Signature"`
}

// ReferenceContext puts a token into that form.
func ReferenceContext(executionID, projectID, token string) string {
	b, err := json.Marshal(referenceContext{ID: executionID, ProjectID: projectID, Signature: token})
	if err != nil {
		panic(err) // three texts can always be written
	}
	return string(b)
}

// VerifyReference checks a credential of that form; what stands beside the token
// must agree with it.
func (v *Verifier) VerifyReference(text string) (Claims, error) {
	var c referenceContext
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Claims{}, pipeline.Errorf(pipeline.CodeUnauthorized, "RedKiteContext is no JSON object: %w", err)
	}
	claims, err := v.Verify(c.Signature)
	if err != nil {
		return Claims{}, err
	}
	if claims.ExecutionID != c.ID || claims.ProjectID != c.ProjectID {
		return Claims{}, pipeline.Errorf(pipeline.CodeUnauthorized, "RedKiteContext carries the signature of another execution")
	}
	return claims, nil
}
