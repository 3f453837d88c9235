//go:build !unix

package bench

import (
	"context"
	"errors"
)

var errNoServer = errors.New("a private server is only started on Unix")

func startServer(context.Context, string) (string, func(), error) { return "", nil, errNoServer }

func serverBinary(string) (string, error) { return "", errNoServer }

func syncDisks() {}
