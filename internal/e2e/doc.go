// Package e2e holds no code: its tests run the built agent against real
// servers, as a user would, and its measurements say how fast it is.
package e2e
