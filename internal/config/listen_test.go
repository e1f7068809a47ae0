package config_test

import (
	"testing"

	"datakit.dev/internal/config"
)

func TestIsSocket(t *testing.T) {
	for addr, want := range map[string]bool{
		"localhost:9529": false, ":9529": false, "[::1]:9529": false, "0.0.0.0:0": false, "http://h:1": false, "": false,
		"/run/datakit.sock": true, "./a": true, "a.sock": true, `C:\datakit\a`: true,
	} {
		if got := config.IsSocket(addr); got != want {
			t.Errorf("IsSocket(%q) = %v", addr, got)
		}
	}
}
