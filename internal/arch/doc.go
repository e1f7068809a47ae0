// Package arch holds no code: its tests hold the architecture against the code,
// floors, goroutine owners, package comments and complete lists.
package arch
