package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// AcceptsPage reports whether a request is a browser's for a page to show: it
// takes HTML and, where the browser says so, is a navigation.
func AcceptsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	quality, _ := acceptance(r, "text/html")
	return quality > 0
}

// PrefersJSON reports whether JSON is asked for rather than HTML.
func PrefersJSON(r *http.Request) bool {
	jsonQuality, jsonMatch := acceptance(r, "application/json")
	htmlQuality, htmlMatch := acceptance(r, "text/html")
	return jsonQuality > htmlQuality || (jsonQuality == htmlQuality && jsonMatch > htmlMatch)
}

// acceptance returns how much a request wants a media type, from 0 (refused)
// to 1, and how exactly it names it: 3 by name, 2 as type/*, 1 as */*
// (RFC 9110, 12.5.1). Without an Accept header everything is welcome.
func acceptance(r *http.Request, mediaType string) (quality float64, match int) {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(header) == "" {
		return 1, 1
	}
	family, _, _ := strings.Cut(mediaType, "/")
	ranges := map[string]int{mediaType: 3, family + "/*": 2, "*/*": 1}
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil || ranges[name] <= match {
			continue
		}
		quality, match = 1, ranges[name]
		if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil && q >= 0 && q <= 1 {
			quality = q
		}
	}
	return quality, match
}
