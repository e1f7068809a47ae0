package diskio

import (
	"context"
	"os"
	"strings"

	"datakit.dev/internal/input"
)

// udev returns the properties of a block device, none where there is no udev.
func udev(ctx context.Context, device string) map[string]string {
	number, err := os.ReadFile(input.SysPath(ctx, "class", "block", device, "dev"))
	if err != nil {
		return nil
	}
	text, err := os.ReadFile(input.RunPath(ctx, "udev", "data", "b"+strings.TrimSpace(string(number))))
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		property, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "E:")
		if !ok {
			continue
		}
		if key, value, ok := strings.Cut(property, "="); ok {
			out[key] = value
		}
	}
	return out
}

// expand returns the first template whose variables all have a value, and the
// device's own name where there is none.
func expand(templates []string, device string, properties map[string]string) string {
	for _, template := range templates {
		complete := true
		name := os.Expand(template, func(key string) string {
			if key == "device" {
				return device
			}
			if properties[key] == "" {
				complete = false
			}
			return properties[key]
		})
		if complete && name != "" {
			return name
		}
	}
	return device
}
