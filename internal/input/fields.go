package input

import "datakit.dev/internal/point"

// Int documents a field of whole numbers.
func Int(name, unit, doc, docZH string) Field { return Field{name, point.Int, unit, doc, docZH} }

// Float documents a field of fractions.
func Float(name, unit, doc, docZH string) Field { return Field{name, point.Float, unit, doc, docZH} }

// Text documents a field of text.
func Text(name, doc, docZH string) Field { return Field{name, point.String, "", doc, docZH} }

// Bool documents a field that is true or false.
func Bool(name, doc, docZH string) Field { return Field{name, point.Bool, "", doc, docZH} }

// Label documents a tag.
func Label(name, doc, docZH string) Tag { return Tag{name, doc, docZH} }
