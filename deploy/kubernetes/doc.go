// Package kubernetes holds the manifest of the agent for a Kubernetes cluster. Its
// tests check that manifest and the Helm chart beside it: against the schemas that
// the makers of Kubernetes publish, against each other, against what the agent
// reads, and on a real API server.
package kubernetes
