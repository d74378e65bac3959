package kube

import (
	"context"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestASlowAnswerHoldsNobodyElseUp(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	calls := 0
	now := time.Unix(1000, 0)
	tr := troubles{now: func() time.Time { return now }, list: func(context.Context) (map[types.UID]string, error) {
		calls++
		asked <- struct{}{}
		<-answer
		return map[types.UID]string{"a": "exceeded quota"}, nil
	}}
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{UID: "a"}}
	first := make(chan string)
	go func() { first <- tr.of(t.Context(), job) }()
	<-asked
	if got := tr.of(t.Context(), job); got != "" { // returns although the first still waits
		t.Errorf("while one asks: %q", got)
	}
	close(answer)
	if got := <-first; got != "exceeded quota" {
		t.Errorf("who asked got %q", got)
	}
	if got := tr.of(t.Context(), job); got != "exceeded quota" || calls != 1 {
		t.Errorf("within the interval: %q after %d calls", got, calls)
	}
	if got := tr.of(t.Context(), nil); got != "" {
		t.Errorf("of no Job: %q", got)
	}
}
