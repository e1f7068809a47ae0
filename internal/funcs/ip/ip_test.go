package ip_test

import (
	"fmt"
	"strings"
	"testing"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline/scripttest"
)

func TestCIDR(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, test := range []struct {
		ip      any
		network string
		want    bool
	}{
		{"10.1.2.3", "10.0.0.0/8", true},
		{"192.0.2.233", "192.0.2.1/24", true}, // the host's part does not count
		{"192.0.3.1", "192.0.2.1/24", false},
		{"2001:db8::1", "2001:db8::/32", true},
		{"::1", "2001:db8::/32", false},
		{"2001:db8::1", "10.0.0.0/8", false},
		{"::ffff:10.1.2.3", "10.0.0.0/8", false}, // an IPv6 address, whatever is in it
		{"10.1.2.3", "0.0.0.0/0", true},
		{"10.1.2.3", "10.0.0.0", false},
		{"10.1.2.3", "10.0.0.0/33", false},
		{"10.1.2.3", "", false},
		{"10.1.2.3.4", "10.0.0.0/8", false},
		{"10.01.2.3", "10.0.0.0/8", false},
		{" 10.1.2.3", "10.0.0.0/8", false},
		{int64(10), "10.0.0.0/8", false},
		{"", "10.0.0.0/8", false},
	} {
		script := fmt.Sprintf("add_key(lit, cidr(k, %q))\nn = %q\nadd_key(dyn, cidr(k, n))\nadd_key(text, cidr(\"%v\", n))", test.network, test.network, test.ip)
		got, err := engine.Run(t, script, scripttest.Fields{"k": test.ip})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"lit", "dyn", "text"} {
			if got[key] != test.want {
				t.Errorf("%s: %v in %s: got %v, want %v", key, test.ip, test.network, got[key], test.want)
			}
		}
	}
}

func TestCIDROfWhatIsNotThere(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	got, err := engine.Run(t, `
		add_key(a, cidr(nope, "10.0.0.0/8"))
		add_key(b, cidr("10.1.1.1", nope))
		add_key(c, cidr(value_type(1), "10.0.0.0/8"))`, nil)
	if err != nil || got["a"] != false || got["b"] != false || got["c"] != false {
		t.Errorf("got %v, %v", got, err)
	}
	for script, says := range map[string]string{
		`cidr(k)`:                   "missing",
		`cidr(5, "10.0.0.0/8")`:     "expected a string",
		`cidr(k, ["10.0.0.0/8"])`:   "expected a string",
		`cidr(k, "10.0.0.0/8", "")`: "at most 2",
	} {
		if got := engine.Refused(t, script); !strings.Contains(got, says) {
			t.Errorf("%s: refused with %q, want %q", script, got, says)
		}
	}
}
