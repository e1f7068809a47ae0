package nacos

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

func TestOptionsThatNeverWork(t *testing.T) {
	const secret = "hunter2"
	nodes := []string{"a:8848"}
	for name, c := range map[string]struct {
		values spec.Values
		want   string
	}{
		"no nodes":               {spec.Values{"confd_namespace": "x"}, "needs nodes"},
		"no namespace":           {spec.Values{"nodes": nodes}, "needs confd_namespace or pipeline_namespace"},
		"one for both":           {spec.Values{"nodes": nodes, "confd_namespace": "x", "pipeline_namespace": "x"}, "have to differ"},
		"a name for an id":       {spec.Values{"nodes": nodes, "confd_namespace": "/datakit/confd"}, "confd_namespace: the id"},
		"a long id":              {spec.Values{"nodes": nodes, "pipeline_namespace": strings.Repeat("x", 200)}, "pipeline_namespace: the id"},
		"a password in a node":   {spec.Values{"nodes": []string{"http://root:" + secret + "@a:1"}, "confd_namespace": "x"}, "username and password"},
		"a password alone":       {spec.Values{"nodes": nodes, "confd_namespace": "x", "password": secret}, "go together"},
		"a user alone":           {spec.Values{"nodes": nodes, "confd_namespace": "x", "username": "u"}, "go together"},
		"a login without a name": {spec.Values{"nodes": nodes, "confd_namespace": "x", "basic_auth": true, "password": secret}, "needs both"},
		"a certificate, no key":  {spec.Values{"nodes": nodes, "confd_namespace": "x", "client_cert": "cert.pem"}, "go together"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(store.Options{Root: "/datakit", Values: c.values})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

func TestKeysThatNacosCannotHold(t *testing.T) {
	spaces := []namespace{{"confd", "c"}}
	for key, want := range map[string]string{
		"confd/cpu":             "confd/DEFAULT_GROUP/cpu.conf",
		"confd/a/b/c":           "confd/GROUP/DATA-ID",
		"confd//x":              "letters, digits",
		"confd/a b/x":           "letters, digits",
		"confd/a/x%2f":          "letters, digits",
		"confd/a/\xff":          "letters, digits",
		"pipeline/metric/cpu.p": "pipeline_namespace is not set",
		"other/a/b":             "begins with",
		"":                      "begins with",
		"confd/g/" + strings.Repeat("x", maxDataID+1): "at most",
	} {
		if n, i, err := place(spaces, key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, %v; want an error about %q", key, n, i, err, want)
		}
	}
}

// Where a key is written is where it is read from.
func TestPlaceIsWhereTheKeyIsReadFrom(t *testing.T) {
	spaces := []namespace{{"confd", "c"}, {"pipeline", ""}}
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOfN(rapid.RuneFrom([]rune("aZ09.:-_/ %名\x01\x02")), 0, 8, -1)
		key := rapid.SampledFrom([]string{"confd/", "pipeline/", ""}).Draw(t, "part") + part.Draw(t, "group") + "/" + part.Draw(t, "data id")
		n, i, err := place(spaces, key)
		if err == nil && n.key(i) != key {
			t.Fatalf("%q is read as %q", key, n.key(i))
		}
	})
}

func TestValuesThatNacosDoesNotTake(t *testing.T) {
	for _, value := range []string{"", " \n", "\xff", strings.Repeat("x", store.MaxValue+1)} {
		if checkValue("confd/g/x", value) == nil {
			t.Errorf("%.10q would be written", value)
		}
	}
	if err := checkValue("confd/g/x", "[[inputs.cpu]]\n"); err != nil {
		t.Error(err)
	}
}

func TestPages(t *testing.T) {
	const sum = "d41d8cd98f00b204e9800998ecf8427e"
	p, err := pageOf([]byte(`{"totalCount":7,"pageItems":[{"dataId":"a","group":"g","tenant":"t","content":"x","md5":"`+sum+`"},
		{"dataId":"b","group":"g","tenant":"t","content":"hello","md5":null}]}`), "t")
	if err != nil || p.total != 7 || len(p.items) != 2 {
		t.Fatalf("%v, %v", p, err)
	}
	if got := p.items[id{"g", "a"}]; got.md5 != sum || got.value != "x" {
		t.Errorf("with the server's checksum: %v", got)
	}
	if got := p.items[id{"g", "b"}]; got.md5 != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("without one: %v", got)
	}
	for _, tenant := range []string{"", public} {
		if _, err := pageOf(fmt.Appendf(nil, `{"totalCount":1,"pageItems":[{"dataId":"a","group":"g","tenant":%q,"content":"x"}]}`, tenant), ""); err != nil {
			t.Errorf("the public namespace as %q: %v", tenant, err)
		}
	}
}

// Whatever is no list is an error, and never an empty one.
func TestAnswersThatAreNoList(t *testing.T) {
	for _, body := range []string{
		"", "null", "[]", "<html>", `{}`, `{"code":500,"message":"x"}`, `{"totalCount":-1}`, `{"totalCount":"1"}`, `{"totalCount":1,"pageItems":{}}`,
		`{"totalCount":1,"pageItems":[{"dataId":"a","group":"g","tenant":"another","content":"x"}]}`, `{"totalCount":1e99}`, `{"totalCount":0`,
	} {
		if p, err := pageOf([]byte(body), "t"); err == nil {
			t.Errorf("%s is the page %v", body, p)
		}
	}
}

// What is asked for is what the answer is about, whatever the names.
func TestListenerFormGoesThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z名.:_-]{1,6}`)
		n := namespace{"confd", rapid.SampledFrom([]string{"", "t-1"}).Draw(t, "tenant")}
		items := rapid.MapOfN(rapid.Custom(func(t *rapid.T) id { return id{name.Draw(t, "group"), name.Draw(t, "data id")} }),
			rapid.Map(name, func(v string) item { return itemOf(v, "") }), 1, 20).Draw(t, "items")
		ids := slices.SortedFunc(maps.Keys(items), id.compare)
		var told strings.Builder
		for line := range strings.SplitSeq(strings.TrimSuffix(linesOf(n, ids, items), endOfLine), endOfLine) {
			words := strings.Split(line, endOfWord)
			if want := 3; n.tenant == "" && len(words) != want || n.tenant != "" && (len(words) != want+1 || words[3] != n.tenant) {
				t.Fatalf("the line %q", line)
			}
			if words[2] != items[id{words[1], words[0]}].md5 {
				t.Fatalf("the checksum in %q", line)
			}
			told.WriteString(words[0] + endOfWord + words[1] + endOfLine)
		}
		got, err := idsOf(url.QueryEscape(told.String())+"\n", ids)
		if err != nil || !slices.Equal(got, ids) {
			t.Fatalf("%v, %v; want %v", got, err, ids)
		}
	})
}

func TestOnlyWhatWasAskedForChanges(t *testing.T) {
	got, err := idsOf("a%02g%02t%01b%02g%02t%01a%02g%02t%01", []id{{"g", "a"}, {"g", "c"}})
	if err != nil || !slices.Equal(got, []id{{"g", "a"}}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"%zz", "a%01", "a%02b%02c%02d%01", "<html>"} {
		if got, err := idsOf(text, nil); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestPartitionKeepsEveryIDInBoundedParts(t *testing.T) {
	var ids []id
	for n := range 2*maxListened + 1 {
		ids = append(ids, id{"g", fmt.Sprintf("%04d", n)})
	}
	long := strings.Repeat("名", maxDataID)
	for n := range 500 {
		ids = append(ids, id{"z", fmt.Sprint(long, n)})
	}
	parts := partition(ids)
	if !slices.Equal(slices.Concat(parts...), ids) {
		t.Fatal("the parts are not the whole")
	}
	for _, part := range parts {
		size := 0
		for _, i := range part {
			size += len(url.QueryEscape(i.group + i.dataID))
		}
		if len(part) > maxListened || size > maxListenedBytes {
			t.Errorf("a part of %d, %d bytes", len(part), size)
		}
	}
	if len(partition(nil)) != 0 {
		t.Error("nothing has parts")
	}
}

func TestTokens(t *testing.T) {
	now := time.Unix(1000, 0)
	for body, want := range map[string]time.Duration{
		`{"accessToken":"x","tokenTtl":100}`:                 90 * time.Second,
		`{"accessToken":"x"}`:                                unknownTTL * 9 / 10,
		`{"accessToken":"x","tokenTtl":-5}`:                  unknownTTL * 9 / 10,
		`{"accessToken":"x","tokenTtl":9223372036854775807}`: maxTTL * time.Second * 9 / 10,
	} {
		if got, err := tokenOf([]byte(body), now); err != nil || got.text != "x" || got.until.Sub(now) != want {
			t.Errorf("%s: %v, %v; want %v", body, got.until.Sub(now), err, want)
		}
	}
	for _, body := range []string{"", "{}", `{"accessToken":""}`, `"secret-token"`, `{"accessToken":1}`} {
		if got, err := tokenOf([]byte(body), now); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
}

// The time between two looks grows while nothing is found, and with what a look
// costs the server, and is never longer than the user says.
func TestNextLook(t *testing.T) {
	const circle = time.Minute
	for name, c := range map[string]struct {
		last, took time.Duration
		found      bool
		want       time.Duration
	}{
		"just after a change":  {steadyLook, time.Millisecond, true, minLook},
		"then less often":      {minLook, time.Millisecond, false, 2 * minLook},
		"to a steady pace":     {steadyLook, time.Millisecond, false, steadyLook},
		"a busy server":        {steadyLook, 20 * time.Millisecond, false, 2 * steadyLook},
		"a very busy server":   {20 * time.Second, 100 * time.Millisecond, false, 40 * time.Second},
		"busy after a change":  {steadyLook, 100 * time.Millisecond, true, 5 * time.Second},
		"as long as asked for": {circle, time.Second, false, circle},
	} {
		if got := nextLook(c.last, c.took, circle, c.found); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What a server or a proxy says is repeated in errors, but not our secrets.
func TestSecretsInAnswersAreNotRepeated(t *testing.T) {
	s := newServer(nil, credentials{"agent", "pa55"})
	for body, want := range map[string]string{
		`{"status":403,"message":"user agent with pa55 is unknown"}`: "user agent with *** is unknown",
		"token tok-1 expired": "token *** expired",
		"two\nlines":          "two lines",
		"":                    "it does not say why",
		"pa55":                "***",
		strings.Repeat("x", maxSaid-1) + "名" + "pa55": strings.Repeat("x", maxSaid-1) + "…",
	} {
		if got := s.said([]byte(body), "tok-1"); got != want {
			t.Errorf("%q is told as %q, want %q", body, got, want)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"totalCount":1,"pageItems":[{"dataId":"a","group":"g","tenant":"t","content":"x","md5":null}]}`))
	f.Add([]byte(`{"totalCount":0,"pageItems":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := pageOf(body, "t")
		if err != nil {
			return
		}
		if !json.Valid(body) || p.total < 0 {
			t.Fatalf("%q is a page of %d", body, p.total)
		}
		for i, found := range p.items {
			if found.md5 == "" || found.size > store.MaxValue && found.value != "" {
				t.Fatalf("%v is %v", i, found)
			}
		}
	})
}

func FuzzChanged(f *testing.F) {
	f.Add("a%02g%02t%01")
	f.Add("a%02g%01\n")
	asked := []id{{"g", "a"}, {"g", "b"}}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := idsOf(text, asked)
		if err == nil && len(got) > len(asked) {
			t.Fatalf("%q changes %v", text, got)
		}
		for _, i := range got {
			if !slices.Contains(asked, i) {
				t.Fatalf("%q changes %v", text, i)
			}
		}
	})
}
