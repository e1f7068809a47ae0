package null

import (
	"testing"

	"datakit.dev/internal/input/inputtest"
)

func TestInput(t *testing.T) { inputtest.Run(t, inputtest.Case{Plugin: Plugin()}) }

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "points = 1000") }

func TestPointsAndFields(t *testing.T) {
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), "points = 3\nfields = 2"))
	if len(got) != 3 {
		t.Fatalf("%d points", len(got))
	}
	p := inputtest.Find(t, got, "null", "n", "2")
	inputtest.Want(t, p, "value", int64(0))
	inputtest.Want(t, p, "value1", int64(1))
	inputtest.Want(t, p, "value2", nil)
	if got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), "points = 0")); len(got) != 0 {
		t.Errorf("%d points, want none", len(got))
	}
}
