package install

import (
	"testing"
)

func TestProbe(t *testing.T) {
	t.Log(layout("a = 1\n[x]\n b = [1,\n 2] # c\n'q.r'.s = '''x\n'''\n[[y]]\nz = {a = 1, b = {c=2}}"))
}
