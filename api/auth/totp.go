package auth

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/stalker-asm/stalker/pipeline"
)

// totpPeriod is how long a code is good for; those of the period before and after
// are taken too, for clocks that differ.
const totpPeriod = 30

// BeginTOTP returns a secret for a second factor, and the URL that an authenticator
// reads. Nothing changes until ConfirmTOTP.
func (a *Auth) BeginTOTP(c *Caller) (secret, url string, err error) {
	if c.Session == nil {
		return "", "", pipeline.Errorf(pipeline.CodeForbidden, "a second factor is set by who is logged in")
	}
	k, err := totp.Generate(totp.GenerateOpts{Issuer: "Stalker", AccountName: c.Email})
	if err != nil {
		return "", "", err
	}
	return k.Secret(), k.URL(), nil
}

// ConfirmTOTP turns the second factor on, given the password and a code that shows
// that the authenticator has the secret.
func (a *Auth) ConfirmTOTP(ctx context.Context, c *Caller, password, secret, code string) error {
	u, err := a.verify(ctx, c, password)
	if err != nil {
		return err
	}
	u.TOTP = secret
	ok, err := a.checkCode(ctx, u, code)
	if err != nil || !ok {
		return pipeline.Errorf(pipeline.CodeInvalid, "code: it does not fit the secret; is the clock right?")
	}
	u.Version++
	if err := a.store.UpdateUser(ctx, u); err != nil {
		return err
	}
	except := ""
	if c.Session != nil {
		except = c.Session.ID
	}
	return a.store.DeleteSessions(ctx, u.ID, except)
}

// RemoveTOTP turns the caller's second factor off, given the password.
func (a *Auth) RemoveTOTP(ctx context.Context, c *Caller, password string) error {
	u, err := a.verify(ctx, c, password)
	if err != nil {
		return err
	}
	u.TOTP, u.Version = "", u.Version+1
	return a.store.UpdateUser(ctx, u)
}

// ResetTOTP turns somebody's second factor off: they lost it.
func (a *Auth) ResetTOTP(ctx context.Context, by *Caller, userID string) error {
	if err := a.above(ctx, by, userID); err != nil {
		return err
	}
	u, err := a.store.User(ctx, userID)
	if err != nil {
		return err
	}
	u.TOTP, u.Version = "", u.Version+1
	return a.store.UpdateUser(ctx, u)
}

// checkCode takes each code once.
func (a *Auth) checkCode(ctx context.Context, u User, code string) (bool, error) {
	step := a.now().Unix() / totpPeriod
	for _, s := range []int64{step - 1, step, step + 1} {
		want, err := totp.GenerateCodeCustom(u.TOTP, time.Unix(s*totpPeriod, 0), totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return false, pipeline.Errorf(pipeline.CodeInvalid, "secret: it is none")
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return a.store.UseCode(ctx, u.ID, s)
		}
	}
	return false, nil
}
