package redis

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const nodesText = `07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:30004@31004,hostname4 slave e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca 0 1426238317239 4 connected
67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1 127.0.0.1:30002@31002,hostname2 master - 0 1426238316232 2 connected 5461-10922 [93->-292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f]
292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f 127.0.0.1:30003@31003,hostname3 master - 0 1426238318243 3 connected 10923-16383
824fe116063bc5fcf9f4ffd895bc17aee7731ac3 127.0.0.1:30006@31006 master - 0 1426238317741 6 connected
aaaafe116063bc5fcf9f4ffd895bc17aee7731ac 127.0.0.1:30007@31007 master,fail - 0 1426238317741 6 disconnected
bbbbfe116063bc5fcf9f4ffd895bc17aee7731ac :0@0 master,noaddr - 0 1426238317741 6 disconnected 5
e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca :30001@31001 myself,master - 0 0 1 connected 0-5459 5460
`

func TestLayout(t *testing.T) {
	l, err := parseLayout(nodesText, "10.0.0.9:30001", false)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.9:30001", "127.0.0.1:30002", "127.0.0.1:30003", "127.0.0.1:30006"}
	if !slices.Equal(l.masters, want) {
		t.Errorf("the masters are %v, want %v", l.masters, want)
	}
	for slot, node := range map[int]string{0: want[0], 93: want[0], 5460: want[0], 5461: want[1], 10922: want[1], 10923: want[2], 16383: want[2]} {
		if got := l.masters[l.owner[slot]-1]; got != node {
			t.Errorf("slot %d is on %s, want %s", slot, got, node)
		}
	}
	if l.alias["hostname3:30003"] != want[2] {
		t.Errorf("the aliases are %v", l.alias)
	}
	secured, err := parseLayout(nodesText, "10.0.0.9:30001", true)
	if err != nil || !slices.Contains(secured.masters, "hostname2:30002") || secured.alias["127.0.0.1:30002"] != "hostname2:30002" {
		t.Errorf("by TLS: %v, %v", secured, err)
	}
}

// What the servers themselves compute.
func TestSlots(t *testing.T) {
	for name, want := range map[string]int{
		"123456789": 12739, "": 0, "foo": 12182, "{user1000}.following": 3443, "{user1000}.followers": 3443, "foo{}{bar}": 8363, "foo{{bar}}zap": 4015, "foo{bar}{zap}": 5061,
	} {
		if got := slotOf(name); got != want {
			t.Errorf("%q is in slot %d, want %d", name, got, want)
		}
	}
}

func TestLayoutsThatAreNone(t *testing.T) {
	line := "id 127.0.0.1:1@2 master - 0 0 1 connected "
	for name, text := range map[string]string{
		"nothing": "", "a word": "x\n", "slots of letters": line + "a-b\n", "slots backwards": line + "5-1\n", "a slot too high": line + "16384\n", "only replicas": "id 127.0.0.1:1@2 slave x 0 0 1 connected\n",
	} {
		if l, err := parseLayout(text, "a:1", false); err == nil {
			t.Errorf("%s: %v", name, l)
		}
	}
	if _, err := parseLayout(strings.Repeat(line+"\n", 3), "a:1", false); err != nil {
		t.Errorf("one master, named three times: %v", err)
	}
}

func FuzzLayout(f *testing.F) {
	f.Add(nodesText)
	f.Add("id 127.0.0.1:1@2 master - 0 0 1 connected 0-16383")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseLayout(text, "a:1", false)
		if err != nil {
			return
		}
		for slot, owner := range l.owner {
			if int(owner) > len(l.masters) {
				t.Fatalf("slot %d is on master %d of %d", slot, owner, len(l.masters))
			}
		}
	})
}

func TestErrorsHaveTheirPlace(t *testing.T) {
	for text, code := range map[string]string{"MOVED 1 a:1": "MOVED", "ERR": "ERR", "": ""} {
		r := &refusal{text}
		if r.code() != code {
			t.Errorf("%q has the code %q", text, r.code())
		}
	}
	if failure(errors.New("NOAUTH"), "NOAUTH") {
		t.Error("an error of ours counts as the server's")
	}
}
