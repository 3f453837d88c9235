package blob

import (
	"net/url"
	"strings"

	"muster/internal/fault"
)

// Address is where an [S3] store is. The credentials are no part of it: an address is shown and logged.
type Address struct {
	bucket, prefix string
	host           string
	secure         bool
	region         string
	where          string
}

// defaultRegion is the one that stores of other makers call themselves.
const defaultRegion = "us-east-1"

// ParseS3 reads s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION. Without an endpoint it is Amazon's in the
// region; the region is us-east-1 unless given. What is wrong is of kind Invalid.
func ParseS3(address string) (a Address, err error) {
	wrong := func(why string) error {
		return fault.New(fault.Invalid, "--blobs %s; give s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION", why)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "s3":
		return a, wrong("does not begin with s3://")
	case u.User != nil:
		return a, wrong("has a key in it, which others could read; put it into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	case u.Host == "" || u.Port() != "":
		return a, wrong("names no bucket")
	}
	query := u.Query()
	for name := range query {
		if name != "endpoint" && name != "region" {
			return a, wrong("has " + name + ", which is neither endpoint nor region")
		}
	}
	a = Address{bucket: u.Host, region: query.Get("region"), secure: true}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		a.prefix = prefix + "/"
	}
	if a.region == "" {
		a.region = defaultRegion
	}
	a.host = "s3." + a.region + ".amazonaws.com"
	if endpoint := query.Get("endpoint"); endpoint != "" {
		e, err := url.Parse(endpoint)
		if err != nil || e.Host == "" || e.User != nil || strings.Trim(e.Path, "/") != "" || e.Scheme != "https" && e.Scheme != "http" {
			return a, wrong("has an endpoint that is no address like https://HOST:PORT")
		}
		a.host, a.secure = e.Host, e.Scheme == "https"
	}
	a.where = strings.TrimSuffix("s3://"+a.bucket+"/"+a.prefix, "/")
	return a, nil
}

// NewS3 is the store at the address. The key is what the environment has: getenv ([os.Getenv]) is asked for
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for keys that end, AWS_SESSION_TOKEN. Nothing is asked of the store yet;
// see [S3.Check].
func NewS3(a Address, getenv func(string) string) (*S3, error) {
	id, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if id == "" || secret == "" {
		return nil, fault.New(fault.Invalid, "%s takes a key; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment", a.where)
	}
	return newS3(a, id, secret, getenv("AWS_SESSION_TOKEN"))
}
