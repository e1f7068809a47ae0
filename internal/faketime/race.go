//go:build race

package faketime

const race = true
