// Package install puts the agent on a machine and takes it off again: the
// program, its folders, the settings that are merged into datakit.conf, and the
// service (systemd, launchd, or a service of Windows). The scripts in deploy
// fetch a release and run this.
package install
