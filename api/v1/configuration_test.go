package v1

import (
	"slices"
	"testing"

	"github.com/stalker-asm/stalker/pipeline/config"
)

func TestTheConfigurationInForceIsForWhoMayReadIt(t *testing.T) {
	set := []config.Setting{{Key: "http.listen", Value: "127.0.0.1:1"}, {Key: "sso.clientSecret", Value: "(hidden)", Changed: true}}
	w := newWorldWith(t, shelf{}, func(d *Deps) { d.Settings = set })
	var got struct{ Items []config.Setting }
	w.operator().must("GET", "/configuration", nil, &got)
	if !slices.Equal(got.Items, set) {
		t.Errorf("%+v", got)
	}
	w.person("ben@example.com").refused(403, "", "GET", "/configuration", nil)
}
