package monitor

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkTake(b *testing.B) {
	s := later()
	for i := range 10_000 {
		s.Units = append(s.Units, unit(fmt.Sprintf("input/prom/%05d", i), fmt.Sprintf("etcdv3:/datakit/confd/%05d", i), 9))
	}
	m := NewModel(time.Second)
	m.Resize(120, 40)
	at := 130 * time.Second
	for b.Loop() {
		at += time.Second
		m.Take(answer(s, at))
		_ = m.Draw(true)
	}
}

func BenchmarkDraw(b *testing.B) {
	m := watching(b, 200, 60)
	for b.Loop() {
		m.Press("down")
		_ = m.Draw(true)
	}
}
