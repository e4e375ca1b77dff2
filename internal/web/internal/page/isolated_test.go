package page

import "testing"

func TestIsolated(t *testing.T) {
	for text, want := range map[string]string{
		"Lunch <b>": "Lunch &lt;b&gt;", "Füße 日本語": "Füße 日本語", "": "",
		"ארוחה": "<bdi>ארוחה</bdi>", "غداء 12": "<bdi>غداء 12</bdi>", "a\u202eb": "<bdi>a\u202eb</bdi>", "\u2067a\u2069": "<bdi>\u2067a\u2069</bdi>",
		"א<script>": "<bdi>א&lt;script&gt;</bdi>",
	} {
		if got := string(isolated(text)); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}
