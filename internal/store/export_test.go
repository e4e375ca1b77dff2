package store

// What the tests of this package see of it.
const SampleTeam = sampleTeam

var FillSample = fillSample
