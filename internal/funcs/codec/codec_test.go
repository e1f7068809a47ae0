package codec_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripttest"
)

func TestResults(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, test := range []struct {
		name, script string
		in           any // field k
		want         any // field k after; nil: as before
	}{
		{"base64 of a string", `b64enc(k)`, "a?>", "YT8+"},
		{"base64 of nothing", `b64enc(k)`, "", ""},
		{"base64 leaves a number alone", `b64enc(k)`, int64(42), int64(42)},
		{"base64 back", `b64dec(k)`, "YT8+", "a?>"},
		{"base64 with line breaks", `b64dec(k)`, "YT\r\n8+", "a?>"},
		{"base64 of a float is left alone", `b64dec(k)`, 1.5, 1.5},

		{"url", `url_decode(k)`, "http%3A%2F%2Fa%2Fb+c", "http://a/b c"},
		{"url of a number is text", `url_decode(k)`, int64(7), "7"},
		{"url of a bool is text", `url_decode(k)`, true, "true"},

		{"W3C trace id", `conv_traceid_w3c_to_dd(k)`, "18962fdd9eea517f2ae0771ea69d6e16", "3089600317904219670"},
		{"span id", `conv_traceid_w3c_to_dd(k)`, "18962fdd9eea517f", "1771656132317303167"},
		{"largest id", `conv_traceid_w3c_to_dd(k)`, "FFFFFFFFFFFFFFFF", "18446744073709551615"},
		{"too short an id", `conv_traceid_w3c_to_dd(k)`, "18962fdd9eea517", nil},
		{"no hexadecimal", `conv_traceid_w3c_to_dd(k)`, "18962fdd9eea51_f", nil},
		{"a sign is no digit", `conv_traceid_w3c_to_dd(k)`, "+8962fdd9eea517f", nil},
		{"a number is no id", `conv_traceid_w3c_to_dd(k)`, int64(1234567890123456), nil},

		{"gbk", `decode(k, "gbk")`, "\xd6\xd0", "中"},
		{"gb18030", `decode(k, "gb18030")`, "\x81\x30\x81\x30", "\u0080"},
		{"utf-16le", `decode(k, "utf-16le")`, "\x2d\x4e", "中"},
		{"utf-16be", `decode(k, "utf-16be")`, "\x4e\x2d", "中"},
		{"a name in quotes", `decode(k, "'gbk'")`, "\xd6\xd0", "中"},
		{"utf-8 in quotes", `decode(k, "'utf-8'")`, "a\xff", "a\ufffd"},
		{"utf-8 without", `decode(k, "utf-8")`, "a\xff", nil},
		{"half in quotes", `decode(k, "'gbk")`, "\xd6\xd0", nil},
		{"an unknown set", `decode(k, "latin1")`, "\xd6", nil},
		{"the set in a variable", "set = \"gbk\"\ndecode(k, set)", "\xd6\xd0", "中"},
		{"the set in no variable", "decode(k, set)", "\xd6\xd0", nil},
		{"an unfinished character", `decode(k, "gbk")`, "a\xd6", "a\ufffd"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := engine.Run(t, test.script, scripttest.Fields{"k": test.in})
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want == nil {
				want = test.in
			}
			if got["k"] != want {
				t.Errorf("%s of %q: got %q, want %q", test.script, test.in, got["k"], want)
			}
		})
	}
}

func TestAMissingKeyIsPassedOver(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, script := range []string{
		`b64enc(k)`, `b64dec(k)`, `url_decode(k)`, `url_parse(k)`,
		`decode(k, "gbk")`, `conv_traceid_w3c_to_dd(k)`,
	} {
		got, err := engine.Run(t, script, nil)
		if err != nil || len(got) != 0 {
			t.Errorf("%s: got %v, %v", script, got, err)
		}
	}
}

func TestBrokenTextsAbortTheScript(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, test := range []struct{ script, in string }{
		{`b64dec(k)`, "a b"},
		{`b64dec(k)`, "YQ"},
		{`url_decode(k)`, "100%"},
		{`url_decode(k)`, "%zz"},
		{`url_parse(k)`, "http://[::1"},
		{`url_parse(k)`, "a\x7fb"},
		{`url_parse(k)`, ":x"},
	} {
		got, err := engine.Run(t, test.script+"\nadd_key(after, 1)", scripttest.Fields{"k": test.in})
		if err == nil {
			t.Errorf("%s of %q: no error", test.script, test.in)
		}
		if len(got) != 1 || got["k"] != test.in {
			t.Errorf("%s of %q changed the point: %v", test.script, test.in, got)
		}
	}
}

func TestWrongCallsAreRefused(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, test := range []struct{ script, says string }{
		{`b64enc("k")`, "expected a name"},
		{`b64enc(a.b)`, "expected a name"},
		{`b64dec(1)`, "expected a name"},
		{`b64dec(a, b)`, "at most 1"},
		{`url_decode()`, "missing"},
		{`url_decode([])`, "expected a key"},
		{`url_parse("k")`, "expected a name or a path"},
		{`url_parse(a, "p_")`, "at most 1"},
		{`decode(k)`, "missing"},
		{`decode(k, 1)`, "expected a key"},
		{`hash("a")`, "missing"},
		{`hash(1, "md5")`, "cannot be"},
		{`hash("a", nil)`, "cannot be"},
		{`conv_traceid_w3c_to_dd(nil)`, "expected a key"},
	} {
		if says := engine.Refused(t, test.script); !strings.Contains(says, test.says) {
			t.Errorf("%s: refused with %q, want %q", test.script, says, test.says)
		}
	}
}

func TestHash(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	got, err := engine.Run(t, `
		add_key(md5, hash(k, "md5"))
		add_key(sha1, hash(method="sha1", text=k))
		add_key(sha256, hash(k, "sha256"))
		add_key(sha512, hash(k, "sha512"))
		add_key(none, hash(k, "MD5"))`, scripttest.Fields{"k": "中"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"md5":    "aed1dfbc31703955e64806b799b67645",
		"sha1":   "0869071c92c0c11170ac87036bebedb52ea0c993",
		"sha256": "a567bdaa11367f260f0708391f4d10766b5962f565d9e432f17981a3584fe1e2",
		"sha512": "64efc72d0475c612ff046973732feb0e5665af5860bacee87eb88266c08f73aa" +
			"778a36dd2a8d6024e6b5ddc99a1c80fb7d1ecdf82196d43b22f3f7067979bc4d",
		"none": "",
	} {
		if got[key] != want {
			t.Errorf("%s: got %v, want %s", key, got[key], want)
		}
	}
	if _, err := engine.Run(t, `hash(k, "md5")`, scripttest.Fields{"k": int64(1)}); err == nil {
		t.Error("the digest of a number is no run error")
	}
}

func TestURLParts(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	got, err := engine.Run(t, `
		u = url_parse(k)
		add_key(all, u)
		add_key(none, url_parse(nope))`,
		scripttest.Fields{"k": "https://user:pw@h.example:8443/a%20b/c?x=1&y=&x=2&%zz=1#frag"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"host":"h.example:8443","params":{"x":"1,2","y":""},"path":"/a b/c","port":"8443","scheme":"https"}`
	if got["all"] != want {
		t.Errorf("got  %v\nwant %s", got["all"], want)
	}
	if v, ok := got["none"]; !ok || v != nil {
		t.Errorf("the parts of a missing key: %v, there: %v", v, ok)
	}
}

func TestEncodingAndDecodingAreInverse(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom(nil, unicode.Han, unicode.Latin, unicode.Digit, unicode.P)).Draw(rt, "s")
		gbk, err := simplifiedchinese.GB18030.NewEncoder().String(s)
		if err != nil {
			rt.Skip("not in the character set")
		}
		got, err := engine.Run(t, `
			b64enc(plain)
			b64dec(b64)
			url_decode(url)
			decode(gb, "gb18030")`, scripttest.Fields{
			"plain": s, "b64": base64.StdEncoding.EncodeToString([]byte(s)), "url": url.QueryEscape(s), "gb": gbk,
		})
		if err != nil {
			rt.Fatal(err)
		}
		if got["plain"] != base64.StdEncoding.EncodeToString([]byte(s)) {
			rt.Errorf("b64enc: %v", got["plain"])
		}
		for _, key := range []string{"b64", "url", "gb"} {
			if got[key] != s {
				rt.Errorf("%s: got %q, want %q", key, got[key], s)
			}
		}
	})
}

// limited is an environment with the limits that an agent has.
func limited() *pipeline.Env {
	return &pipeline.Env{Limits: fn.Limits{Time: fn.DefaultTime}}
}

func TestALoopOfCodingsRunsIntoTheLimit(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, body := range []string{
		`b64enc(k)`, `decode(k, "gbk")`, `url_decode(k)`, `url_parse(k)`, `hash(k, "sha512")`,
	} {
		_, err := engine.RunIn(t, limited(), "for ;; { "+body+" }", scripttest.Fields{"k": strings.Repeat("a", 1<<12)})
		if !fn.IsLimit(err) {
			t.Errorf("%s for ever: %v", body, err)
		}
	}
}

func TestAHugeTextIsRefused(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	huge := strings.Repeat("YWJj", fn.DefaultBytes/4+1)
	for _, script := range []string{
		`b64enc(k)`, `b64dec(k)`, `decode(k, "gbk")`, `url_decode(k)`, `url_parse(k)`,
	} {
		if _, err := engine.Run(t, script, scripttest.Fields{"k": huge}); !errors.Is(err, fn.ErrBytes) {
			t.Errorf("%s: got %v, want %v", script, err, fn.ErrBytes)
		}
	}
}
