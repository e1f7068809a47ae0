package spec

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestDescribeSaysWhatAnEditorNeeds(t *testing.T) {
	s := Schema{Name: "inputs.x", Fields: []Field{
		{Name: "interval", Type: Duration, Default: 10 * time.Second, Min: time.Second, Live: true, Doc: "How often.", DocZH: "间隔。"},
		{Name: "mode", Type: String, OneOf: []string{"a", "b"}, Default: "a", Doc: "Mode.", DocZH: "模式。"},
		{Name: "size", Type: Int, Max: int64(5), Unit: "bytes", Required: true, Example: int64(3), Doc: "Size.", DocZH: "大小。"},
		{Name: "password", Type: String, Secret: true, Doc: "Password.", DocZH: "密码。"},
		{Name: "rules", Type: Tables, Doc: "Rules.", DocZH: "规则。", Fields: []Field{{Name: "path", Type: Strings, Default: []string{"/"}, Doc: "Path.", DocZH: "路径。"}}},
	}}
	text, err := json.Marshal(s.Describe())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`{"name":"interval","type":"duration","default":"\"10s\"","min":"\"1s\"","live":true,"doc":"How often.","doc_zh":"间隔。"}`,
		`"default":"\"a\"","allowed":["a","b"]`,
		`"unit":"bytes","example":"3","max":"5","required":true`,
		`{"name":"password","type":"string","secret":true,`,
		`"name":"rules","type":"list of tables","doc":"Rules.","doc_zh":"规则。","fields":[{"name":"path","type":"list of strings","default":"[\"/\"]"`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("lacks %s\n%s", part, text)
		}
	}
}
