// Package docs holds the manuals; its tests hold their examples against the code.
package docs
