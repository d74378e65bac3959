// Package cooldown decides whether a subscription may fire again for the same key
// and discriminator. The decision is a pure function; the record of what fired is
// kept per partition of the findings topic, with the changes of a batch on top
// until its transaction is committed.
package cooldown

import (
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Reason is the outcome of a decision.
type Reason string

// The reasons.
const (
	Fresh   Reason = "fresh"   // it never fired for this key
	Elapsed Reason = "elapsed" // it fired longer ago than the cooldown
	None    Reason = "none"    // the subscription has no cooldown
	Cooling Reason = "cooling" // it fired and must wait
)

// Fires reports whether the reason lets the subscription fire.
func (r Reason) Fires() bool { return r != Cooling }

// Decide judges from when it last fired (zero: never) and the cooldown.
func Decide(last, now time.Time, cooldown time.Duration) Reason {
	switch {
	case last.IsZero():
		return Fresh
	case cooldown <= 0:
		return None
	case now.Sub(last) >= cooldown:
		return Elapsed
	default:
		return Cooling
	}
}

// Key names a trigger: what fired, for which resource, and for which part of it.
func Key(subscriptionID, correlationKey, discriminator string) string {
	return subscriptionID + "/" + pipeline.DeriveID(correlationKey, discriminator)
}
