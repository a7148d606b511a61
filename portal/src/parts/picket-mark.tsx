/** The sign of the house: three pickets and two rails. */
export function PicketMark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <path fill="#0e818e" d="M3 10l3.5-5L10 10v18H3zM12.5 8L16 3l3.5 5v20h-7zM22 10l3.5-5 3.5 5v18h-7z" />
      <path fill="#63b0ba" d="M1 14h30v3.5H1zM1 22h30v3.5H1z" />
    </svg>
  );
}
