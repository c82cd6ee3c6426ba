//go:build zones

package main

// The time zones of the whole world, for images without /usr/share/zoneinfo. (Go's own tag timetzdata does the same, but then nearly the
// whole standard library has to be compiled again.)
import _ "time/tzdata"
