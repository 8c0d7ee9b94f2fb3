// SPDX-License-Identifier: Apache-2.0
// The release. `packaging/debian/changelog` begins with the same number; the tidy test compares them.

package enum Version {
    package static let text = "0.1.0"
}
