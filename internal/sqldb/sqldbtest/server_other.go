//go:build !unix

package sqldbtest

import "errors"

func startServer() (string, error) {
	return "", errors.New("a private server is only started on Unix")
}
