import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Certificates as an operator makes them: with openssl, signed by themselves. */
record Certificates(X509Certificate certificate, PrivateKey key, Path file) {
  static Certificates selfSigned(String commonName) throws Exception {
    Path at = Files.createTempDirectory(Path.of(System.getenv("PICKET_SDK_FOLDER")), "cert-");
    Path key = at.resolve("key.pem");
    Path cert = at.resolve("cert.pem");
    Process openssl = new ProcessBuilder(List.of("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=" + commonName, "-keyout", key.toString(), "-out", cert.toString()))
        .redirectErrorStream(true).redirectOutput(at.resolve("openssl.log").toFile()).start();
    if (openssl.waitFor() != 0) throw new IllegalStateException(Files.readString(at.resolve("openssl.log")));
    X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
        .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(cert)));
    String pem = Files.readString(key).replaceAll("-----[^-]+-----", "").replaceAll("\\s", "");
    PrivateKey parsed = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    return new Certificates(certificate, parsed, cert);
  }

  String thumbprint(String hash) throws Exception {
    return HexFormat.of().withUpperCase().formatHex(MessageDigest.getInstance(hash).digest(certificate.getEncoded()));
  }

  /** Trusts what the JVM trusts, and proves itself with this certificate. */
  SSLContext context() throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setKeyEntry("device", key, new char[0], new X509Certificate[] {certificate});
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, new char[0]);
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init((KeyStore) null);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }
}
