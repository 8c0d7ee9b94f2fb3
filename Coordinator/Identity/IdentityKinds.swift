// SPDX-License-Identifier: Apache-2.0
// The things of identity that ids point at, besides user, project and domain (which Core knows).

package enum Group {}
package enum Role {}
package enum Trust {}
package enum ApplicationCredential {}
package enum AccessRule {}
package enum Credential {}
package enum Region {}
package enum CatalogService {}
package enum Endpoint {}
package enum EndpointGroup {}
package enum PolicyBlob {}
package enum RegisteredLimit {}
package enum ProjectLimit {}
